"""The dashboard and the alert rules speak of metrics that exist, with labels that they have."""

import json
import re
from collections.abc import Iterator

import pytest
import yaml

from odoorway.telemetry import Counter, Gauge, Histogram

from .test_readme import ROOT

LABELS = {
    **{f"{one.value}_total": set(one.labels) for one in Counter},
    **{f"{one.value}_bucket": {*one.labels, "le"} for one in Histogram},
    **{one.value: set(one.labels) for one in Gauge},
}


def expressions() -> Iterator[str]:
    board = json.loads((ROOT / "deploy/grafana-dashboard.json").read_text())
    yield from (target["expr"] for panel in board["panels"] for target in panel["targets"])
    rules = yaml.safe_load((ROOT / "deploy/prometheus-rules.yaml").read_text())
    yield from (rule["expr"] for group in rules["groups"] for rule in group["rules"])


@pytest.mark.parametrize("expression", list(expressions()))
def test_each_metric_and_label_exists(expression: str) -> None:
    """A renamed metric would leave a panel empty, and an alert silent."""
    metrics = re.findall(r"odoorway_\w+", expression)
    assert metrics
    assert set(metrics) <= set(LABELS)
    grouped = {
        label.strip() for found in re.findall(r"by \(([^)]*)\)", expression)
        for label in found.split(",")
    }  # fmt: skip
    selected = set(re.findall(r"[{,]\s*(\w+)\s*=", expression))
    assert grouped | selected <= set.union(*(LABELS[metric] for metric in metrics))


def test_every_metric_is_on_the_dashboard() -> None:
    """Each one that there is, is worth a look."""
    shown = " ".join(expressions())
    assert [name for name in LABELS if name not in shown] == []

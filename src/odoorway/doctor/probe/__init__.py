"""A few careful requests to a webhook's URL that tell the causes of its failure apart."""

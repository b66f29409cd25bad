-- Deliveries that are written, but not as their handler expected: a person looks at them.
INSERT INTO tally (what) VALUES ('breached');

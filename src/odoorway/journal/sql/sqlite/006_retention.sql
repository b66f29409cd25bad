-- What is forgotten is no longer counted.
CREATE TRIGGER event_forgotten AFTER DELETE ON event BEGIN
    UPDATE tally SET n = n - 1 WHERE what = 'event';
END;

CREATE TRIGGER delivery_forgotten BEFORE DELETE ON delivery BEGIN
    UPDATE tally SET n = n - 1 WHERE what = old.state;
    UPDATE flow SET n = n - 1
    WHERE
        source = (SELECT source FROM event WHERE seq = old.event)
        AND destination = old.destination AND state = old.state;
END;

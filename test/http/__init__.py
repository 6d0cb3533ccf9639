"""What HTTP asks of a cache, each rule a row of a table, through the whole of the middleware stack."""

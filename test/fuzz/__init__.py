"""Generated requests and answers, and whether what becomes of them agrees with a plain reading of the RFCs."""

"""Pure HTTP: what a request asks for, what may be stored, how it is written down. No I/O, no settings, no models."""

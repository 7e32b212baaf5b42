"""The processes: settings in, sockets, workers and their end out."""

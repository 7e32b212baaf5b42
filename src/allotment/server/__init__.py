"""The server: a process that serves every space of one store over HTTP. A face."""

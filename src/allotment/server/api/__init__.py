"""How operations become routes of FastAPI: declarations in, routes and their documentation out."""

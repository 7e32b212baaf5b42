"""An engine in this process that follows a server: `connect` makes one."""

from allotment.client.engine import ConnectedEngine, connect
from allotment.client.status import EngineStatus

__all__ = ["ConnectedEngine", "EngineStatus", "connect"]

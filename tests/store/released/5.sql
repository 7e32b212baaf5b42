BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('5');
CREATE TABLE allotment_store (
	version INTEGER NOT NULL, tokens BIGINT DEFAULT 0 NOT NULL, adopted BIGINT DEFAULT '0' NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "allotment_store" VALUES(5,3,0);
CREATE TABLE document (
	space TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	revision BIGINT NOT NULL, 
	body JSON, created_at BIGINT DEFAULT 0 NOT NULL, updated_at BIGINT DEFAULT 0 NOT NULL, 
	PRIMARY KEY (space, kind, "key", revision), 
	FOREIGN KEY(space) REFERENCES space (name)
);
INSERT INTO "document" VALUES('default/production','flag','button',1,'{"is": "Flag", "key": "button", "variations": [{"is": "Variation", "key": "blue", "value": "\"#00f\""}, {"is": "Variation", "key": "green", "value": "\"#0f0\""}], "default": "blue"}',1768469400250,1768469400250);
INSERT INTO "document" VALUES('default/production','segment','nordics',1,'{"is": "Segment", "key": "nordics", "name": "Nordics", "description": "Sweden and Norway \u2603", "include": ["u-1", "u-2", "\u00fc\u0000x"], "rules": [{"is": "Clause", "attribute": ["country"], "operator": "in", "values": ["SE", "NO", 1, true, 1.5, 9223372036854775807]}]}',1768469400250,1768469400250);
INSERT INTO "document" VALUES('default/production','experiment','checkout',1,'{"is": "Experiment", "key": "checkout", "iterations": [{"is": "Iteration", "number": 1, "treatments": [{"is": "Treatment", "key": "control", "sets": [["button", "blue"]]}, {"is": "Treatment", "key": "green", "sets": [["button", "green"]]}], "allocations": [{"is": "Allocation", "key": "everyone", "weights": [["control", 50], ["green", 50]], "total": 100, "slots": [[0, 500000, "control"], [500000, 1000000, "green"]]}], "salt": "checkout#1", "control": "control"}], "description": "Does green sell?"}',1768469400250,1768469400250);
INSERT INTO "document" VALUES('default/production','experiment','checkout',2,'{"is": "Experiment", "key": "checkout", "iterations": [{"is": "Iteration", "number": 1, "treatments": [{"is": "Treatment", "key": "control", "sets": [["button", "blue"]]}, {"is": "Treatment", "key": "green", "sets": [["button", "green"]]}], "allocations": [{"is": "Allocation", "key": "everyone", "weights": [["control", 50], ["green", 50]], "total": 100, "slots": [[0, 500000, "control"], [500000, 1000000, "green"]]}], "state": "running", "salt": "checkout#1", "control": "control"}], "description": "Does green sell?"}',1768469400250,1768555800251);
INSERT INTO "document" VALUES('default/production','experiment','checkout',3,'{"is": "Experiment", "key": "checkout", "iterations": [{"is": "Iteration", "number": 1, "treatments": [{"is": "Treatment", "key": "control", "sets": [["button", "blue"]]}, {"is": "Treatment", "key": "green", "sets": [["button", "green"]]}], "allocations": [{"is": "Allocation", "key": "everyone", "weights": [["control", 70], ["green", 30]], "total": 100, "slots": [[0, 500000, "control"], [500000, 800000, "green"], [800000, 1000000, "control"]]}], "state": "running", "salt": "checkout#1", "control": "control"}], "description": "Does green sell?"}',1768469400250,1768642200252);
INSERT INTO "document" VALUES('default/production','layer','page',4,'{"is": "Layer", "key": "page", "salt": "page"}',1768728600253,1768728600253);
INSERT INTO "document" VALUES('default/production','holdout','quiet',4,'{"is": "Holdout", "key": "quiet", "salt": "quiet", "share_ppm": 50000, "name": "Quiet"}',1768728600253,1768728600253);
INSERT INTO "document" VALUES('default/production','layer','page',5,'{"is": "Layer", "key": "page", "salt": "page", "reservations": [{"is": "Reservation", "experiment": "banner", "ranges": [[0, 250000]]}]}',1768728600253,1768815000254);
INSERT INTO "document" VALUES('default/production','experiment','banner',5,'{"is": "Experiment", "key": "banner", "iterations": [{"is": "Iteration", "number": 1, "treatments": [{"is": "Treatment", "key": "control", "sets": [["button", "blue"]]}, {"is": "Treatment", "key": "green", "sets": [["button", "green"]]}], "allocations": [{"is": "Allocation", "key": "everyone", "weights": [["control", 50], ["green", 50]], "total": 100, "slots": [[0, 500000, "control"], [500000, 1000000, "green"]]}], "state": "running", "salt": "banner#1", "control": "control"}], "layer": "page", "holdout": "quiet"}',1768815000254,1768815000254);
INSERT INTO "document" VALUES('default/production','segment','nordics',6,NULL,1768469400250,1768901400255);
INSERT INTO "document" VALUES('default/production','segment','nordics',7,'{"is": "Segment", "key": "nordics", "name": "Nordics again"}',1768987800256,1768987800256);
INSERT INTO "document" VALUES('default/production','flag','button',8,'{"is": "Flag", "key": "button", "variations": [{"is": "Variation", "key": "blue", "value": "\"#00f\""}, {"is": "Variation", "key": "green", "value": "\"#0f0\""}], "default": "blue", "name": "The button"}',1768469400250,1769074200257);
INSERT INTO "document" VALUES('default/production','experiment','checkout',8,'{"is": "Experiment", "key": "checkout", "iterations": [{"is": "Iteration", "number": 1, "treatments": [{"is": "Treatment", "key": "control", "sets": [["button", "blue"]]}, {"is": "Treatment", "key": "green", "sets": [["button", "green"]]}], "allocations": [{"is": "Allocation", "key": "everyone", "weights": [["control", 70], ["green", 30]], "total": 100, "slots": [[0, 500000, "control"], [500000, 800000, "green"], [800000, 1000000, "control"]]}], "state": "running", "salt": "checkout#1", "control": "control"}], "description": "Does green sell?", "overrides": [["q\u0000\n2", "control"], ["q-1", "green"]]}',1768469400250,1769074200257);
CREATE TABLE idempotency (
	space TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	answer BLOB NOT NULL, 
	at BIGINT NOT NULL, 
	PRIMARY KEY (space, "key"), 
	FOREIGN KEY(space) REFERENCES space (name)
);
INSERT INTO "idempotency" VALUES('default/production','cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef',X'4854545000FF',1769074200257);
CREATE TABLE journal (
	space TEXT NOT NULL, 
	revision BIGINT NOT NULL, 
	at TEXT NOT NULL, 
	who TEXT NOT NULL, 
	dialect TEXT NOT NULL, 
	comment TEXT NOT NULL, 
	commands JSON NOT NULL, 
	moves JSON NOT NULL, lineage TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (space, revision), 
	FOREIGN KEY(space) REFERENCES space (name)
);
INSERT INTO "journal" VALUES('default/production',1,'2026-01-15T09:30:00.250000+00:00','ann','catalogfile','the first experiment','[{"is": "Create", "noun": {"is": "Flag", "key": "button", "variations": [{"is": "Variation", "key": "blue", "value": "\"#00f\""}, {"is": "Variation", "key": "green", "value": "\"#0f0\""}], "default": "blue"}}, {"is": "Create", "noun": {"is": "Segment", "key": "nordics", "name": "Nordics", "description": "Sweden and Norway \u2603", "include": ["u-1", "u-2", "\u00fc\u0000x"], "rules": [{"is": "Clause", "attribute": ["country"], "operator": "in", "values": ["SE", "NO", 1, true, 1.5, 9223372036854775807]}]}}, {"is": "Create", "noun": {"is": "Experiment", "key": "checkout", "iterations": [{"is": "Iteration", "number": 1, "treatments": [{"is": "Treatment", "key": "control", "sets": [["button", "blue"]]}, {"is": "Treatment", "key": "green", "sets": [["button", "green"]]}], "allocations": [{"is": "Allocation", "key": "everyone", "weights": [["control", 50], ["green", 50]], "total": 100}], "control": "control"}], "description": "Does green sell?"}}]','[]','59b822e764d5b24345c81a5bb9d573d6');
INSERT INTO "journal" VALUES('default/production',2,'2026-01-16T09:30:00.251000+00:00','ann','catalogfile','','[{"is": "StartIteration", "experiment": "checkout"}]','[]','d45dec4f3df98abaa440a87a5da60035');
INSERT INTO "journal" VALUES('default/production',3,'2026-01-17T09:30:00.252000+00:00','bo','catalogfile','less of it 💩','[{"is": "SetWeights", "experiment": "checkout", "allocation": "everyone", "weights": [["control", 70], ["green", 30]], "total": 100}]','[{"is": "Move", "experiment": "checkout", "allocation": "everyone", "moved_ppm": 200000}]','6721279f1ccffc37e2f80455339da2c2');
INSERT INTO "journal" VALUES('default/production',4,'2026-01-18T09:30:00.253000+00:00','bo','catalogfile','','[{"is": "Create", "noun": {"is": "Layer", "key": "page", "salt": ""}}, {"is": "Create", "noun": {"is": "Holdout", "key": "quiet", "salt": "", "share_ppm": 50000, "name": "Quiet"}}]','[]','487f691bc75cb8086d1db8c5dc273859');
INSERT INTO "journal" VALUES('default/production',5,'2026-01-19T09:30:00.254000+00:00','bo','catalogfile','','[{"is": "Create", "noun": {"is": "Experiment", "key": "banner", "iterations": [{"is": "Iteration", "number": 1, "treatments": [{"is": "Treatment", "key": "control", "sets": [["button", "blue"]]}, {"is": "Treatment", "key": "green", "sets": [["button", "green"]]}], "allocations": [{"is": "Allocation", "key": "everyone", "weights": [["control", 50], ["green", 50]], "total": 100}], "state": "running", "control": "control"}]}}, {"is": "Reserve", "layer": "page", "experiment": "banner", "share_ppm": 250000}, {"is": "SetHoldout", "experiment": "banner", "holdout": "quiet"}]','[]','590ef2c3a7d9adeb7a44b7f54f9d49c0');
INSERT INTO "journal" VALUES('default/production',6,'2026-01-20T09:30:00.255000+00:00','ann','catalogfile','not needed','[{"is": "Delete", "kind": "segment", "key": "nordics"}]','[]','9f4f3daeb98ae46b1f2291308a2a830b');
INSERT INTO "journal" VALUES('default/production',7,'2026-01-21T09:30:00.256000+00:00','ann','catalogfile','needed after all','[{"is": "Create", "noun": {"is": "Segment", "key": "nordics", "name": "Nordics again"}}]','[]','7498d315f848486eb4f8ffe97e0c044b');
INSERT INTO "journal" VALUES('default/production',8,'2026-01-22T09:30:00.257000+00:00','cy','catalogfile','','[{"is": "SetOverrides", "experiment": "checkout", "overrides": [["q-1", "green"], ["q\u0000\n2", "control"]]}, {"is": "Rename", "kind": "flag", "key": "button", "name": "The button"}]','[]','9d8dd7d7e7c1afcbd82365756affef6d');
CREATE TABLE space (
	name TEXT NOT NULL, 
	revision BIGINT NOT NULL, lineage TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "space" VALUES('default/production',8,'9d8dd7d7e7c1afcbd82365756affef6d');
CREATE TABLE token (
	id TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	space TEXT NOT NULL, 
	name TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT, 
	revoked_at BIGINT, 
	PRIMARY KEY (id), 
	UNIQUE (digest)
);
INSERT INTO "token" VALUES('3f9a1c02','abababababababababababababababababababababababababababababababab','read','default/*','shop',1768469400250,NULL,1769160600000);
INSERT INTO "token" VALUES('77c0ffee','cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','admin','*/*','second ☃',1769356800250,1999999999999,NULL);
CREATE INDEX document_by_revision ON document (space, revision);
CREATE INDEX idempotency_by_age ON idempotency (space, at);
COMMIT;

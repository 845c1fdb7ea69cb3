-- What an exchange of version 2 has besides the rows of version 1.
INSERT INTO signing_key (id, key) VALUES (1, BYTES'0303030303030303030303030303030303030303030303030303030303030303');
INSERT INTO api_root (name, title) VALUES ('objects', 'Objects of others');
INSERT INTO shelf (id, root, name_id, title, description, alias, account, readable, writable, media) VALUES (1, 'objects', '472c94ae-3113-4e3e-a4dd-a9f4ac7471d4', 'Of Bob', NULL, NULL, 3, 1, 1, 'application/stix+json;version=2.1');
INSERT INTO object (id, shelf, added, name_id, version, spec, body) VALUES (1, 1, 1795478420000000, 'malware--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061', '2026-11-24T00:00:20Z', 21, '{"type":"malware"}');
INSERT INTO addition (name_id, root, account, created, body) VALUES ('2d086da7-4bdc-4f91-900e-d77486753710', 'objects', 3, 1795478420000000, '{"status":"complete"}');

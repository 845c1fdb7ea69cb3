-- What an exchange of version 4 has besides the rows of versions 1 to 3.
INSERT INTO session (id, account, digest, created, used, address, agent) VALUES (1, 3, BYTES'0505050505050505050505050505050505050505050505050505050505050505', 1795478440000000, 1795478440000000, '192.0.2.10', 'a browser');
INSERT INTO second_factor (account, secret, confirmed, step) VALUES (3, BYTES'0606060606060606060606060606060606060606', 1, 59849281);
INSERT INTO recovery_code (account, digest) VALUES (3, BYTES'0707070707070707070707070707070707070707070707070707070707070707');
INSERT INTO invitation (id, account, digest, created, expires, guest) VALUES (1, 2, BYTES'0808080808080808080808080808080808080808080808080808080808080808', 1795478440000000, 4102444800000000, NULL);
INSERT INTO confirmation (entry, account, created, reason) VALUES (4, 2, 1795478441000000, 'it is ours');
UPDATE vote SET weight = 500 WHERE account = 3;
UPDATE pulse SET score = 500 WHERE id = 1;
UPDATE pulse SET bound = 3 WHERE id = 2;
INSERT INTO value_vote (value, account, vote, weight, created) VALUES (1, 3, 1, 500, 1795478442000000);
INSERT INTO reputation (account, computed, indicators, corroborated, false_positives) VALUES (2, 1795478443000000, 3, 1, 1);
INSERT INTO sibling (value, other, pulse, account) VALUES (1, 2, 1, 2);
INSERT INTO likeness (pulse, author, created, hashes) VALUES (1, 2, 1795478401000000, BYTES'0123456789abcdef');
INSERT INTO likeness_part (part, pulse) VALUES (4660, 1);
INSERT INTO appeal (id, value, account, contact, reason, created, state, decided) VALUES (1, 1, NULL, 'us@corp.example', 'this is our name', 1795478444000000, 0, NULL);
INSERT INTO member_invitation (team, account, rank, created) VALUES (51, 1, 0, 1795478445000000);

-- What an exchange of version 3 has besides the rows of versions 1 and 2.
INSERT INTO received (account, name, created) VALUES (3, 'batch-1', 1795478430000000);
INSERT INTO export_token (digest, account, pulse, format, expires) VALUES (BYTES'0404040404040404040404040404040404040404040404040404040404040404', 3, 1, 'csv', 4102444800000000);
INSERT INTO source (name, account, imported) VALUES ('House', 1, 'set-1');

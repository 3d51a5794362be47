DROP TABLE revocation_sequence;
DROP TABLE revocations;

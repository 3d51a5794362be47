-- Transactions that end sessions insert their revocations with a negative number from this sequence, without a lock. A
-- process gives the committed ones their positive numbers, under the lock of the row of revocation_sequence. So numbers
-- still become visible in their order, and a node of an earlier release, which knows only positive numbers, misses none.
CREATE SEQUENCE unnumbered_revocations INCREMENT BY -1 MAXVALUE -1 START WITH -1;

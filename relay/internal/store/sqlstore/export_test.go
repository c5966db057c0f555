package sqlstore

// Turn is what a change of PostgreSQL begins with.
const Turn = turn

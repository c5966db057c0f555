package sqlstore

// Turn is what a change of PostgreSQL begins with.
const Turn = turn

// HoldBatch keeps what is written together from being written until release is
// called. Those who come meanwhile are counted by waiting.
func (s *DB) HoldBatch() (waiting func() int, release func()) {
	s.batches.writing.Lock()
	return func() int {
		s.batches.mu.Lock()
		defer s.batches.mu.Unlock()
		if s.batches.gathering == nil {
			return 0
		}
		return len(s.batches.gathering.parts)
	}, s.batches.writing.Unlock
}

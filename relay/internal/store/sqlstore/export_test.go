package sqlstore

// Turn is what a change of PostgreSQL begins with.
const Turn = turn

// HoldSignatures keeps signatures from being written until release is called. Those
// who sign meanwhile are counted by waiting.
func (s *DB) HoldSignatures() (waiting func() int, release func()) {
	s.signatures.writing.Lock()
	return func() int {
		s.signatures.mu.Lock()
		defer s.signatures.mu.Unlock()
		if s.signatures.gathering == nil {
			return 0
		}
		return len(s.signatures.gathering.signatures)
	}, s.signatures.writing.Unlock
}

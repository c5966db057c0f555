package sqlstore

import (
	"context"
	"database/sql"
	"sync"
)

// together joins the small changes that robots cause when many of them come or go at
// the same time: while one batch is being written, which takes as long as the disk
// takes to keep it, the next gathers. A thousand robots that come back to a restarted
// relay cost a few dozen writes in place of a thousand, and one that comes alone waits
// for nobody. A batch is bounded by the sockets that there may be.
type together struct {
	mu        sync.Mutex
	gathering *batch // nil until somebody begins it

	writing sync.Mutex // held for one batch at a time
}

// batch is what is written at once.
type batch struct {
	parts []part
	done  chan struct{} // closed once the results are in
}

// part is one caller's change and what has become of it. refused is for this caller
// alone; a fault ends the whole batch.
type part struct {
	do      func(context.Context, *sql.Tx) (refused, fault error)
	refused error
}

// together runs do in a transaction with others' changes. It does not end before the
// batch does, and so not with ctx.
func (s *DB) together(ctx context.Context, doing string, do func(context.Context, *sql.Tx) (refused, fault error)) error {
	if err := ctx.Err(); err != nil {
		return failure(doing, err)
	}
	b, place := s.batches.join(part{do: do})
	if place == 0 { // who begins a batch writes it, for all who joined
		s.write(context.WithoutCancel(ctx), b)
	}
	<-b.done
	return failure(doing, b.parts[place].refused)
}

// join adds a change to the batch that gathers.
func (t *together) join(p part) (b *batch, place int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gathering == nil {
		t.gathering = &batch{done: make(chan struct{})}
	}
	b = t.gathering
	b.parts = append(b.parts, p)
	return b, len(b.parts) - 1
}

// write waits for the batch before this one, and writes all that came meanwhile.
func (s *DB) write(ctx context.Context, b *batch) {
	defer close(b.done)
	s.batches.writing.Lock()
	defer s.batches.writing.Unlock()
	s.batches.mu.Lock()
	s.batches.gathering = nil
	s.batches.mu.Unlock()

	err := s.transact(ctx, patience, func(ctx context.Context, tx *sql.Tx) (fault error) {
		for i := range b.parts {
			if b.parts[i].refused, fault = b.parts[i].do(ctx, tx); fault != nil {
				return fault
			}
		}
		return nil
	})
	if err == nil {
		return
	}
	for i := range b.parts { // nothing is kept
		b.parts[i].refused = err
	}
}

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

// signatures joins the timestamps of robots that come at the same time: while one
// batch is being written, which takes as long as the disk takes to keep it, the next
// gathers. A thousand robots that come back to a restarted relay cost a few dozen
// writes in place of a thousand, and one that comes alone waits for nobody. A batch is
// bounded by the sockets that may be upgraded at a time.
type signatures struct {
	mu        sync.Mutex
	gathering *batch // nil until somebody begins it

	writing sync.Mutex // held for one batch at a time
}

// batch is what is written at once.
type batch struct {
	signatures []signature
	done       chan struct{} // closed once the results are in
}

// signature is one robot's timestamp and what has become of it.
type signature struct {
	id     wire.DeviceID
	at     time.Time
	result error
}

// AcceptSignature implements [store.Store].
func (s *DB) AcceptSignature(ctx context.Context, id wire.DeviceID, at time.Time) error {
	if err := ctx.Err(); err != nil {
		return failure("accept signature", err)
	}
	if !id.Valid() { // a name that a database refuses would spoil the batch for others
		return failure("accept signature", store.ErrNotFound)
	}
	b, place := s.signatures.join(id, at)
	if place == 0 { // who begins a batch writes it, for all who joined
		s.write(context.WithoutCancel(ctx), b)
	}
	<-b.done
	return failure("accept signature", b.signatures[place].result)
}

// join adds a signature to the batch that gathers.
func (s *signatures) join(id wire.DeviceID, at time.Time) (b *batch, place int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gathering == nil {
		s.gathering = &batch{done: make(chan struct{})}
	}
	b = s.gathering
	b.signatures = append(b.signatures, signature{id: id, at: at})
	return b, len(b.signatures) - 1
}

// write waits for the batch before this one, and writes all that came meanwhile.
func (s *DB) write(ctx context.Context, b *batch) {
	defer close(b.done)
	s.signatures.writing.Lock()
	defer s.signatures.writing.Unlock()
	s.signatures.mu.Lock()
	s.signatures.gathering = nil
	s.signatures.mu.Unlock()

	err := s.transact(ctx, patience, func(ctx context.Context, tx *sql.Tx) error {
		for i := range b.signatures {
			if err := b.signatures[i].accept(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return
	}
	for i := range b.signatures { // nothing is kept
		b.signatures[i].result = err
	}
}

// accept compares and sets in one statement. It returns what ends the whole batch.
func (g *signature) accept(ctx context.Context, tx *sql.Tx) error {
	const newer = "UPDATE devices SET signed_at = $2 WHERE id = $1 AND (signed_at IS NULL OR signed_at <= $2)"
	err := oneDevice(ctx, tx, store.ErrStale, newer, g.id, g.at.Unix())
	if errors.Is(err, store.ErrStale) || errors.Is(err, store.ErrNotFound) {
		g.result = err
		return nil
	}
	return err
}

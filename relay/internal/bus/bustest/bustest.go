// Package bustest is the suite that every [bus.Bus] passes.
package bustest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/wire"
)

// patience bounds how long the suite waits for what must happen.
const patience = 5 * time.Second

// Run holds the contract of [bus.Bus] against what open returns: an empty bus,
// new for each call, that open itself arranges to be closed.
func Run(t *testing.T, open func() bus.Bus) {
	for name, test := range map[string]func(*testing.T, bus.Bus){
		"SendToNobody":           sendToNobody,
		"SendToOwner":            sendToOwner,
		"SendKeepsOrder":         sendKeepsOrder,
		"SendReturnsRefusal":     sendReturnsRefusal,
		"SendHonoursContext":     sendHonoursContext,
		"ReleaseFreesAddress":    releaseFreesAddress,
		"ClaimMoves":             claimMoves,
		"ClaimDoesNotWait":       claimDoesNotWait,
		"ReplacedReleaseIsNoEnd": replacedReleaseIsNoEnd,
		"PublishReachesMembers":  publishReachesMembers,
		"PublishToNobody":        publishToNobody,
		"LeaveEndsMembership":    leaveEndsMembership,
		"JoinTwice":              joinTwice,
		"AddressIsNoTopic":       addressIsNoTopic,
		"CallsFromDeliver":       callsFromDeliver,
		"CallsFromMoved":         callsFromMoved,
		"ManyAtOnce":             manyAtOnce,
	} {
		t.Run(name, func(t *testing.T) { test(t, open()) })
	}
}

const address = "robot.wimz_1"

// text is an envelope that can be told from others.
func text(s string) bus.Envelope {
	return bus.Envelope{
		Kind: bus.Message, From: bus.Sender{Party: wire.App, Peer: "peer-1", User: "user-1"},
		Message: wire.Message{Type: wire.TypeICE, SessionID: "session-1", Candidate: &wire.Candidate{Candidate: s}},
	}
}

func textOf(e bus.Envelope) string { return e.Message.Candidate.Candidate }

// box is where an owner or member keeps what it is given.
type box struct{ got chan bus.Envelope }

func newBox() *box { return &box{make(chan bus.Envelope, 64)} }

func (b *box) deliver(_ context.Context, e bus.Envelope) error {
	b.got <- e
	return nil
}

// next waits for the next envelope.
func (b *box) next(t *testing.T) bus.Envelope {
	t.Helper()
	select {
	case e := <-b.got:
		return e
	case <-time.After(patience):
		t.Fatal("nothing was delivered")
		return bus.Envelope{}
	}
}

// empty checks that nothing is there. A bus that delivers late is found by
// what comes next.
func (b *box) empty(t *testing.T) {
	t.Helper()
	select {
	case e := <-b.got:
		t.Errorf("delivered to the wrong one: %+v", e)
	default:
	}
}

func send(t *testing.T, b bus.Bus, what string) {
	t.Helper()
	if err := b.Send(t.Context(), address, text(what)); err != nil {
		t.Fatalf("send %s: %v", what, err)
	}
}

func owned(t *testing.T, b bus.Bus, want bool) {
	t.Helper()
	if got, err := b.Owned(t.Context(), address); err != nil || got != want {
		t.Errorf("owned: %t, %v; want %t", got, err, want)
	}
}

func sendToNobody(t *testing.T, b bus.Bus) {
	if err := b.Send(t.Context(), address, text("a")); !errors.Is(err, bus.ErrNobody) {
		t.Errorf("got %v", err)
	}
	owned(t, b, false)
}

func sendToOwner(t *testing.T, b bus.Bus) {
	mine, other := newBox(), newBox()
	defer b.Claim(address, mine.deliver, nil)()
	defer b.Claim(address+"0", other.deliver, nil)()
	owned(t, b, true)
	want := text("a")
	send(t, b, "a")
	got := mine.next(t)
	if got.Kind != want.Kind || got.From != want.From || !slices.Equal(wire.Encode(got.Message), wire.Encode(want.Message)) {
		t.Errorf("got %+v", got)
	}
	other.empty(t)
}

func sendKeepsOrder(t *testing.T, b bus.Bus) {
	mine := newBox()
	defer b.Claim(address, mine.deliver, nil)()
	for _, what := range []string{"a", "b", "c", "d"} {
		send(t, b, what)
	}
	for _, want := range []string{"a", "b", "c", "d"} {
		if got := textOf(mine.next(t)); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}

func sendReturnsRefusal(t *testing.T, b bus.Bus) {
	defer b.Claim(address, func(context.Context, bus.Envelope) error { return bus.ErrNobody }, nil)()
	if err := b.Send(t.Context(), address, text("a")); !errors.Is(err, bus.ErrNobody) {
		t.Errorf("got %v", err)
	}
}

// sendHonoursContext: an owner without room gives up with the sender's context.
func sendHonoursContext(t *testing.T, b bus.Bus) {
	defer b.Claim(address, func(ctx context.Context, _ bus.Envelope) error {
		<-ctx.Done()
		return ctx.Err()
	}, nil)()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Send(ctx, address, text("a")); err == nil {
		t.Error("no error")
	}
}

func releaseFreesAddress(t *testing.T, b bus.Bus) {
	first, second := newBox(), newBox()
	release := b.Claim(address, first.deliver, nil)
	if !release() {
		t.Error("the owner did not own it")
	}
	sendToNobody(t, b)
	if release() {
		t.Error("released twice")
	}
	defer b.Claim(address, second.deliver, nil)()
	if release() {
		t.Error("an old owner released the new one's address")
	}
	send(t, b, "a")
	second.next(t)
	first.empty(t)
}

func claimMoves(t *testing.T, b bus.Bus) {
	first, second, third := newBox(), newBox(), newBox()
	moved := make(chan string, 8)
	note := func(who string) func() { return func() { moved <- who } }
	b.Claim(address, first.deliver, note("first"))
	b.Claim(address, second.deliver, note("second"))
	send(t, b, "a")
	second.next(t)
	release := b.Claim(address, third.deliver, note("third"))
	send(t, b, "b")
	third.next(t)
	first.empty(t)
	second.empty(t)
	for _, want := range []string{"first", "second"} {
		select {
		case got := <-moved:
			if got != want {
				t.Errorf("%s was told, not %s", got, want)
			}
		case <-time.After(patience):
			t.Fatalf("%s was not told", want)
		}
	}
	if !release() {
		t.Error("the owner did not own it")
	}
	if len(moved) > 0 {
		t.Errorf("%s was told as well", <-moved)
	}
}

// claimDoesNotWait: the new owner owns the address although the old one is
// stuck in a delivery that nobody ends.
func claimDoesNotWait(t *testing.T, b bus.Bus) {
	entered, free, sent := make(chan struct{}), make(chan struct{}), make(chan struct{})
	b.Claim(address, func(context.Context, bus.Envelope) error {
		close(entered)
		<-free
		return nil
	}, nil)
	go func() {
		defer close(sent)
		_ = b.Send(context.WithoutCancel(t.Context()), address, text("stuck"))
	}()
	<-entered
	second := newBox()
	claimed := make(chan struct{})
	go func() {
		defer close(claimed)
		b.Claim(address, second.deliver, nil)
	}()
	select {
	case <-claimed:
		send(t, b, "a")
		second.next(t)
	case <-time.After(patience):
		t.Error("the new owner waits for the old one")
	}
	close(free)
	<-sent
	<-claimed
}

func replacedReleaseIsNoEnd(t *testing.T, b bus.Bus) {
	first, second := newBox(), newBox()
	releaseFirst := b.Claim(address, first.deliver, nil)
	releaseSecond := b.Claim(address, second.deliver, nil)
	if releaseFirst() {
		t.Error("a replaced owner is told that it still owned the address")
	}
	owned(t, b, true)
	send(t, b, "a")
	second.next(t)
	if !releaseSecond() {
		t.Error("the owner did not own it")
	}
	owned(t, b, false)
}

const topic = "user.user-1"

func publishReachesMembers(t *testing.T, b bus.Bus) {
	first, second, other := newBox(), newBox(), newBox()
	defer b.Join(topic, first.deliver)()
	defer b.Join(topic, second.deliver)()
	defer b.Join(topic+"0", other.deliver)()
	b.Publish(t.Context(), topic, text("a"))
	for _, member := range []*box{first, second} {
		if got := textOf(member.next(t)); got != "a" {
			t.Errorf("got %s", got)
		}
	}
	other.empty(t)
}

func publishToNobody(t *testing.T, b bus.Bus) { b.Publish(t.Context(), topic, text("a")) }

func leaveEndsMembership(t *testing.T, b bus.Bus) {
	stays, leaves := newBox(), newBox()
	defer b.Join(topic, stays.deliver)()
	leave := b.Join(topic, leaves.deliver)
	leave()
	leave() // does nothing more
	b.Publish(t.Context(), topic, text("a"))
	stays.next(t)
	leaves.empty(t)
}

// joinTwice: two memberships of the same receiver are two.
func joinTwice(t *testing.T, b bus.Bus) {
	member := newBox()
	leave := b.Join(topic, member.deliver)
	defer b.Join(topic, member.deliver)()
	b.Publish(t.Context(), topic, text("a"))
	member.next(t)
	member.next(t)
	leave()
	b.Publish(t.Context(), topic, text("b"))
	member.next(t)
	member.empty(t)
}

func addressIsNoTopic(t *testing.T, b bus.Bus) {
	owner, member := newBox(), newBox()
	defer b.Claim(address, owner.deliver, nil)()
	defer b.Join(address, member.deliver)()
	send(t, b, "a")
	owner.next(t)
	member.empty(t)
	b.Publish(t.Context(), address, text("b"))
	member.next(t)
	owner.empty(t)
}

// callsFromDeliver: receivers use the bus themselves.
func callsFromDeliver(t *testing.T, b bus.Bus) {
	end := newBox()
	defer b.Claim("app.peer-1", end.deliver, nil)()
	pass := func(ctx context.Context, e bus.Envelope) error {
		b.Join("presence.x", end.deliver)()
		return b.Send(ctx, "app.peer-1", e)
	}
	defer b.Claim(address, pass, nil)()
	defer b.Join(topic, pass)()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = b.Send(context.WithoutCancel(t.Context()), address, text("a"))
		b.Publish(context.WithoutCancel(t.Context()), topic, text("b"))
	}()
	if got := textOf(end.next(t)) + textOf(end.next(t)); got != "ab" {
		t.Errorf("got %s", got)
	}
	<-done
}

// callsFromMoved: so do owners that are told of their end.
func callsFromMoved(t *testing.T, b bus.Bus) {
	end, second := newBox(), newBox()
	defer b.Claim("app.peer-1", end.deliver, nil)()
	told := make(chan struct{})
	var first func() bool
	first = b.Claim(address, newBox().deliver, func() {
		defer close(told)
		_ = b.Send(context.WithoutCancel(t.Context()), "app.peer-1", text("moved"))
		if first() {
			t.Error("a replaced owner is told that it still owned the address")
		}
	})
	go b.Claim(address, second.deliver, nil)
	if got := textOf(end.next(t)); got != "moved" {
		t.Errorf("got %s", got)
	}
	select {
	case <-told:
	case <-time.After(patience):
		t.Fatal("moved does not return")
	}
}

// manyAtOnce: of many owners one after the other, only the last is left.
func manyAtOnce(t *testing.T, b bus.Bus) {
	var work sync.WaitGroup
	var mu sync.Mutex
	moves, ends := 0, 0
	count := func(n *int) {
		mu.Lock()
		defer mu.Unlock()
		*n++
	}
	const owners = 50
	for range owners {
		work.Go(func() {
			member := newBox()
			leave := b.Join(topic, member.deliver)
			release := b.Claim(address, member.deliver, func() { count(&moves) })
			_ = b.Send(t.Context(), address, text("a"))
			b.Publish(t.Context(), "user.nobody", text("a"))
			if release() {
				count(&ends)
			}
			leave()
		})
	}
	work.Wait()
	mu.Lock()
	defer mu.Unlock()
	if moves+ends != owners {
		t.Errorf("%d owners: %d moved and %d released", owners, moves, ends)
	}
	owned(t, b, false)
}

package session

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"wimz.dev/live/relay/internal/bus"
	"wimz.dev/live/relay/internal/turn"
	"wimz.dev/live/relay/wire"
)

// inboxLen is how many envelopes may wait for a session. A sender that finds
// it full waits: it slows nobody but itself.
const inboxLen = 64

// actor runs one session. Once run has been called its goroutine owns
// everything but the inbox, ended and the contexts.
type actor struct {
	service *Service
	id      wire.SessionID
	machine *Machine
	device  wire.DeviceID
	viewer  viewer
	adopted bool       // taken back from another relay
	app     bus.Sender // as the machine's, for others to see; guarded by the service's mu
	log     *slog.Logger

	inbox  chan bus.Envelope
	ended  chan struct{}
	ctx    context.Context //nolint:containedctx // the life of the session
	cancel context.CancelFunc
	// hurry is canceled when what is being prepared is no longer wanted.
	hurry       context.Context //nolint:containedctx // the life of the preparations
	cancelHurry context.CancelFunc

	leave   map[string]func() // presence topics joined
	loans   loans
	timers  [2]*time.Timer
	started time.Time
	state   State // as far as it has been noted; Closed until the robot is asked
}

func newActor(s *Service, id wire.SessionID, app bus.Sender, device wire.DeviceID) *actor {
	a := &actor{
		service: s, id: id, app: app, device: device,
		machine: NewMachine(id, app, device, s.cfg.Grace, s.cfg.Limits.Candidates),
		log:     s.cfg.Log.With("session", id, "device", device),
		inbox:   make(chan bus.Envelope, inboxLen),
		ended:   make(chan struct{}),
		leave:   map[string]func(){},
		loans:   newLoans(),
		started: time.Now(),
		state:   Closed,
	}
	a.ctx, a.cancel = context.WithCancel(s.ctx)
	a.hurry, a.cancelHurry = context.WithCancel(a.ctx)
	for t := range a.timers {
		a.timers[t] = time.NewTimer(time.Hour)
		a.timers[t].Stop()
	}
	// From here on a lost socket of the app is not missed: the caller reads it.
	a.follow(bus.AppAddress(app.Peer))
	return a
}

// run is the session from the robot's presence to its end. before is the
// viewer's earlier session: the robot must be free of it first.
func (a *actor) run(before *actor) {
	defer a.turnAway()
	defer close(a.ended)
	defer a.free()
	if before != nil {
		<-before.ended
	}
	if !a.stillOwned() {
		return
	}
	if !a.robotPresent() {
		a.answer(wire.CodeDeviceOffline, "Device offline")
		return
	}
	asked := time.Now()
	lease, degraded, err := a.credentials()
	a.loans.add(lease)
	switch gone := a.gone(); {
	case gone == wire.App:
		return
	case gone == wire.Robot:
		a.answer(wire.CodeDeviceOffline, "Device offline")
		return
	case err != nil:
		a.answer(wire.CodeTURNError, "TURN error: "+err.Error())
		return
	}
	release := a.service.cfg.Bus.Claim(bus.SessionAddress(a.id), a.deliver, nil)
	defer release()
	a.log.InfoContext(a.ctx, "session requested", "degraded", degraded, "mint", time.Since(asked))
	a.apply(a.machine.Start(a.servers(lease), degraded))
	a.serve()
}

// serve is the loop in which everything that happens to the session happens. A
// session that has ended is known to have, from before its address is given up.
func (a *actor) serve() {
	for a.machine.State() != Closed {
		select {
		case e := <-a.inbox:
			a.handle(e)
		case <-a.timers[PhaseTimer].C:
			a.apply(a.machine.Expire(PhaseTimer))
		case <-a.timers[GraceTimer].C:
			a.apply(a.machine.Expire(GraceTimer))
		case <-a.loans.due():
			a.renew()
		case lease := <-a.loans.arrived:
			a.renewed(lease)
		case <-a.ctx.Done():
			return // the relay stops; the media does not
		}
		if app := a.machine.App(); app.Peer != a.viewer.peer {
			a.moveTo(app)
		}
	}
	a.service.close(a.id)
}

// handle lets the machine have what has come, and measures what it makes of it.
func (a *actor) handle(e bus.Envelope) {
	effects := a.machine.Handle(e)
	a.apply(effects)
	switch meter := a.service.cfg.Meter; {
	case e.Kind != bus.Message:
	case !a.machine.isParty(e.From):
		meter.Intruded()
	case len(effects) > 0 && !e.ReadAt.IsZero():
		meter.Forwarded(time.Since(e.ReadAt))
	}
}

// moveTo follows an app that has resumed on another socket, which may be gone
// already.
func (a *actor) moveTo(app bus.Sender) {
	a.service.move(a, app)
	address := bus.AppAddress(app.Peer)
	a.follow(address)
	if there, err := a.service.cfg.Bus.Owned(a.ctx, address); !there && err == nil {
		a.apply(a.machine.Handle(bus.Envelope{Kind: bus.Lost, From: app}))
	}
}

func (a *actor) apply(effects []Effect) {
	for _, e := range effects {
		switch {
		case e.Address != "":
			a.service.send(a.ctx, e.Address, e.Message)
		case e.Timer == RenewalTimer:
			a.loans.renewal.Reset(e.After)
		case e.After == 0:
			a.timers[e.Timer].Stop()
		default:
			a.timers[e.Timer].Reset(e.After)
		}
	}
	a.note()
}

// note tells meter and log of a new state. A session that outlives the relay
// never comes to its end here.
func (a *actor) note() {
	before, now, meter := a.state, a.machine.State(), a.service.cfg.Meter
	if now == before {
		return
	}
	a.state = now
	if before != Closed {
		meter.Left(before)
	}
	if now != Closed {
		meter.Entered(now, time.Since(a.started))
		return
	}
	reason := ours(a.machine.Reason())
	meter.Ended(reason)
	a.log.InfoContext(a.ctx, "session ended", "reached", before.String(),
		"reason", reason, "lasted", time.Since(a.started).Round(time.Millisecond))
}

// ours keeps what a party has made up out of log and meter.
func ours(reason wire.Reason) wire.Reason {
	if slices.Contains(wire.Reasons(), reason) {
		return reason
	}
	return "other"
}

// servers is what the parties are told: without a provider, public STUN. The
// ticket says when others are due, which is now if the provider did not answer.
func (a *actor) servers(lease *turn.Lease) wire.Message {
	t := ticket{session: a.id, user: a.machine.App().User, device: a.device, until: time.Now()}
	m := wire.Message{ICEServers: &wire.ICEServers{Servers: []wire.ICEServer{{URLs: a.service.cfg.FallbackSTUN}}}}
	if lease != nil {
		c := lease.Credentials()
		t.until = c.ExpiresAt
		if len(c.ICEServers.Servers) > 0 {
			m.ICEServers = &c.ICEServers
		}
		if !c.ExpiresAt.IsZero() {
			m.ExpiresIn = int(time.Until(c.ExpiresAt).Seconds())
		}
	}
	m.Ticket = a.service.tickets.sign(t)
	return m
}

// credentials borrows TURN credentials; the lender has a deadline. Without them
// the session is degraded to STUN, or fails where TURN is required.
func (a *actor) credentials() (lease *turn.Lease, degraded string, err error) {
	lease, err = a.service.cfg.Credentials.Acquire(a.hurry, a.key())
	if err == nil {
		return lease, "", nil
	}
	a.log.WarnContext(a.ctx, "no TURN credentials", "error", err)
	if a.service.cfg.TURNRequired {
		return nil, "", err
	}
	return nil, wire.DegradedNoTURN, nil
}

// key is what shared credentials are shared by.
func (a *actor) key() turn.Key {
	return turn.Key{User: string(a.machine.App().User), Device: a.device}
}

// renew asks for other credentials, or for the first, beside the loop: the
// session goes on. That the provider fails has been said when it began to.
func (a *actor) renew() {
	key := a.key()
	a.loans.fetch(func() *turn.Lease {
		lease, err := a.service.cfg.Credentials.Acquire(a.ctx, key)
		if err != nil {
			a.log.DebugContext(a.ctx, "no fresh TURN credentials", "error", err)
		}
		return lease
	})
}

// renewed tells both parties, if what was fetched is any better.
func (a *actor) renewed(lease *turn.Lease) {
	if a.loans.add(lease) {
		a.log.InfoContext(a.ctx, "TURN credentials renewed")
		a.apply(a.machine.Renew(a.servers(lease)))
	}
}

// stillOwned asks once more, or answers and reports false: of a right that ended
// before the session was registered nobody has told it.
func (a *actor) stillOwned() bool {
	app := a.machine.App()
	_, refusal := a.service.resolve(a.ctx, app.User, a.device)
	if refusal != nil {
		a.service.send(a.ctx, bus.AppAddress(app.Peer), *refusal)
	}
	return refusal == nil
}

// robotPresent also makes sure that a robot lost from now on is not missed.
func (a *actor) robotPresent() bool {
	address := bus.RobotAddress(a.device)
	a.follow(address)
	present, err := a.service.cfg.Bus.Owned(a.ctx, address)
	return present && err == nil
}

// follow hears of the loss and the return of an address' owner.
func (a *actor) follow(address string) {
	if a.leave[address] == nil {
		a.leave[address] = a.service.cfg.Bus.Join(bus.PresenceTopic(address), a.deliver)
	}
}

// gone returns who has left before the robot was asked, if anybody: an app
// that has asked again has left, too.
func (a *actor) gone() wire.Party {
	for len(a.inbox) > 0 {
		switch e := <-a.inbox; e.Kind {
		case bus.End:
			if e.Message.Reason == wire.ReasonUnauthorized {
				a.answer(wire.CodeNotAuthorized, "Not authorized")
			}
			return wire.App
		case bus.Lost:
			return e.From.Party
		default: // changes nothing yet
		}
	}
	if a.hurry.Err() != nil {
		return wire.App
	}
	return 0
}

// stop ends the session from outside, preparations included.
func (a *actor) stop(reason wire.Reason) {
	_ = a.deliver(a.ctx, bus.Envelope{Kind: bus.End, Message: wire.Message{Reason: reason}})
	a.cancelHurry()
}

func (a *actor) deliver(ctx context.Context, e bus.Envelope) error {
	select {
	case a.inbox <- e:
	case <-a.ctx.Done():
		return bus.ErrNobody
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-a.ended: // meanwhile
		a.turnAway()
	default:
	}
	return nil
}

// turnAway answers what has come too late for the session to hear. It is called
// after the end, by the session and by everybody who delivered after that, so that
// nothing is left without its answer.
func (a *actor) turnAway() {
	for {
		select {
		case e := <-a.inbox:
			if answer, ok := refusal(e); ok {
				a.service.send(a.service.ctx, answer.Address, answer.Message)
			}
		default:
			return
		}
	}
}

// answer ends the request with its one clear answer.
func (a *actor) answer(code wire.Code, text string) {
	a.log.InfoContext(a.ctx, "session refused", "code", code)
	a.service.send(a.ctx, a.machine.appAddress, *refuse(a.device, code, text))
}

func (a *actor) free() {
	a.cancelHurry()
	a.cancel()
	for _, leave := range a.leave {
		leave()
	}
	for _, timer := range a.timers {
		timer.Stop()
	}
	// Those of sessions that outlive the relay are left to expire.
	a.loans.end(a.service.ctx.Err() == nil)
	a.service.forget(a)
	if a.adopted {
		a.service.disown(a)
	}
}

package robot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pion/webrtc/v4"

	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/robot/internal/encode"
	"wimz.dev/live/robot/internal/link"
	"wimz.dev/live/robot/internal/peer"
	"wimz.dev/live/robot/rtc"
)

// session is one viewer, as the robot sees it.
type session struct {
	peer  *peer.Peer
	place int // from 0

	// Guarded by Robot.mu.
	state  peer.State
	codec  encode.Codec
	silent time.Time   // since when it is disconnected, zero while it is not
	ticket wire.Ticket // with which a restarted relay knows the session again
}

// message handles one of the relay's. It does not wait.
func (r *Robot) message(m wire.Message) {
	switch m.Type {
	case wire.TypeRequest:
		r.open(m)
	case wire.TypeAnswer:
		if s := r.session(m.SessionID); s != nil {
			s.peer.Answer(*m.SDP)
		}
	case wire.TypeCredentials:
		r.renew(m)
	case wire.TypeICE:
		if s := r.session(m.SessionID); s != nil {
			s.peer.Candidate(*m.Candidate)
		}
	case wire.TypeClose:
		// Its place is free at once: the request that supersedes a session
		// follows its close.
		if s := r.remove(m.SessionID); s != nil {
			s.peer.Close()
		}
	case wire.TypeError:
		r.log.Warn("the relay reports an error", "code", m.Code, "text", m.Text, "session_id", m.SessionID)
	case wire.TypeCommand:
		r.apps.Command(m.Command, m.Data)
	default:
	}
}

// open starts a session, or says why not.
func (r *Robot) open(m wire.Message) {
	if !r.cfg.WebRTC.Enabled {
		r.refuse(m.SessionID, "", "Video is switched off on this robot")
		return
	}
	if !r.start(m) {
		places := r.cfg.WebRTC.MaxConnections
		r.refuse(m.SessionID, wire.CodeViewerLimit, fmt.Sprintf("All %d viewer places are taken", places))
	}
}

// newAPI makes pion's API for one session, measured by its link.
func (r *Robot) newAPI(life context.Context, l *link.Link) (*webrtc.API, error) {
	return rtc.NewAPI(life, rtc.Options{
		Codecs: r.cfg.WebRTC.Codecs, LoopbackAlone: rtc.LoopbackRelay(r.cfg.Cloud.RelayURL),
		Measure: l.AddTo, Log: r.log,
	})
}

func (r *Robot) refuse(id wire.SessionID, code wire.Code, text string) {
	r.log.Info("viewer refused", "session_id", id, "reason", text)
	r.send(wire.Message{Type: wire.TypeRobotError, SessionID: id, Code: code, Error: text})
}

// start reports whether there was a place. A session that runs already, whose
// request the relay repeats, is left alone.
func (r *Robot) start(m wire.Message) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sessions[m.SessionID] != nil || r.ending {
		return true
	}
	if len(r.sessions) >= r.cfg.WebRTC.MaxConnections && !r.makeRoomLocked(time.Now()) {
		return false
	}
	s := &session{ticket: m.Ticket, place: r.freePlaceLocked()}
	log := r.log.With("session_id", m.SessionID)
	way := link.New(r.cfg.WebRTC.Video.BitrateKbps, rtc.NewLoggerFactory(r.log))
	s.peer = peer.New(peer.Config{
		NewAPI: func(life context.Context) (*webrtc.API, error) { return r.newAPI(life, way) },
		Link:   way, SessionID: m.SessionID, ICEServers: *m.ICEServers, Stream: r.stream,
		Wheel:   r.wheel,
		Dropped: &r.dropped[s.place],
		Send:    r.relay.Send,
		OnState: func(state peer.State, codec encode.Codec) { r.entered(m.SessionID, s, state, codec) },
		Log:     log,
	})
	r.sessions[m.SessionID] = s
	r.connections.Add(1)
	r.running.Go(func() {
		defer r.connections.Add(-1)
		if err := s.peer.Run(r.life); err != nil {
			log.Warn("session failed", "error", err)
		}
	})
	return true
}

// freePlaceLocked returns a viewer's place that nobody has.
func (r *Robot) freePlaceLocked() int {
	taken := make([]bool, len(r.dropped)+1)
	for _, s := range r.sessions {
		taken[s.place] = true
	}
	return slices.Index(taken, false)
}

// absence is how long a viewer who has disconnected keeps a place that another
// wants. ICE has heard nothing for five seconds by then; an app that only changes
// networks is back sooner.
const absence = 3 * time.Second

// makeRoomLocked ends the session that was not heard for longest, if there is one. It
// keeps its place for as long as nobody else wants it.
func (r *Robot) makeRoomLocked(now time.Time) bool {
	var gone wire.SessionID
	for id, s := range r.sessions {
		if s.silent.IsZero() || now.Sub(s.silent) < absence {
			continue
		}
		if gone == "" || s.silent.Before(r.sessions[gone].silent) {
			gone = id
		}
	}
	if gone == "" {
		return false
	}
	r.sessions[gone].peer.GiveWay()
	delete(r.sessions, gone)
	return true
}

// renew takes in what a session gets anew.
func (r *Robot) renew(m wire.Message) {
	r.mu.Lock()
	s := r.sessions[m.SessionID]
	if s != nil && m.Ticket != "" {
		s.ticket = m.Ticket
	}
	r.mu.Unlock()
	if s != nil {
		s.peer.Renew(*m.ICEServers)
	}
}

// entered notes a session's state, and tells the relay when media flows.
func (r *Robot) entered(id wire.SessionID, s *session, state peer.State, codec encode.Codec) {
	r.mu.Lock()
	s.state, s.codec = state, codec
	switch {
	case state != peer.Disconnected:
		s.silent = time.Time{}
	case s.silent.IsZero():
		s.silent = time.Now()
	}
	if state == peer.Closed && r.sessions[id] == s {
		delete(r.sessions, id)
	}
	r.mu.Unlock()
	if state == peer.Connected {
		r.report(wire.TypeHeartbeat)
	}
}

func (r *Robot) session(id wire.SessionID) *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sessions[id]
}

func (r *Robot) remove(id wire.SessionID) *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sessions[id]
	delete(r.sessions, id)
	return s
}

// connected runs whenever the relay can be reached again. Sessions went on
// without it; what they could not say meanwhile they say now.
func (r *Robot) connected() {
	r.online.Store(true)
	moved := r.moved.Swap(false)
	r.report(wire.TypeHello)
	r.mu.Lock()
	sessions := slices.Collect(maps.Values(r.sessions))
	if r.cameraNews != nil {
		r.send(*r.cameraNews)
	}
	r.mu.Unlock()
	for _, s := range sessions {
		s.peer.Online(moved)
	}
}

// disconnected runs whenever the relay is lost or cannot be reached.
func (r *Robot) disconnected(cause error) {
	r.online.Store(false)
	r.apps.Release("the relay is lost")
	if errors.Is(cause, client.ErrMoved) {
		r.moved.Store(true)
	}
}

// report tells the relay which sessions there are and whether media flows. It is
// sent under the lock, for sending does not wait: the relay takes a session that has
// been offered and is not listed for gone, so none may begin, and offer, in between.
func (r *Robot) report(t wire.Type) {
	r.mu.Lock()
	defer r.mu.Unlock()
	reports := make([]wire.SessionReport, 0, len(r.sessions))
	for id, s := range r.sessions {
		reports = append(reports, wire.SessionReport{
			SessionID: id, Connected: s.state == peer.Connected, Ticket: s.ticket,
		})
	}
	r.send(wire.Message{Type: t, Sessions: reports})
}

// endSessions ends all sessions, with a word to their viewers, and waits.
func (r *Robot) endSessions() {
	r.mu.Lock()
	r.ending = true
	r.mu.Unlock()
	r.end()
	r.running.Wait()
}

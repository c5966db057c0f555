package peer

import (
	"fmt"
	"math"
	"time"

	"wimz.dev/live/robot/internal/quality"
)

const (
	// adaptInterval is how often the picture is fitted to the link.
	adaptInterval = 50 * time.Millisecond
	// tellInterval is how often the app is told of it (CONTRACT §6).
	tellInterval = 2500 * time.Millisecond
)

// setQuality takes in which picture the viewer wants.
func (p *Peer) setQuality(wanted quality.Mode) { p.controller.SetMode(wanted) }

// setOverlay takes in whether the viewer wants the detector's overlay.
func (p *Peer) setOverlay(on bool) { p.plain = !on }

// tick lets the session fit its picture to the link until it ends. A tick that
// finds the inbox full is left out.
func (p *Peer) tick() {
	ticker := time.NewTicker(adaptInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_ = p.tryPost(func() error { p.adapt(time.Now()); return nil })
		case <-p.life.Done():
			return
		}
	}
}

// adapt lets the viewer have what his link carries.
func (p *Peer) adapt(now time.Time) {
	if !p.linked { // there is no link
		return
	}
	state := p.link(now)
	d := p.controller.Step(now, state, [...]int{
		p.subscribed.Others(quality.Low), p.subscribed.Others(quality.Medium), p.subscribed.Others(quality.High),
	})
	if p.cfg.Link != nil {
		p.cfg.Link.SetRepairs(d.Repairs)
	}
	p.subscribed.SetBitrate(d.Kbps)
	p.subscribed.Pause(d.Pause)
	wanted := p.rendition
	wanted.Tier, wanted.Overlay = d.Tier, !p.plain
	if wanted != p.rendition {
		p.rendition = wanted
		p.cfg.Log.DebugContext(p.life, "another rendition", "tier", d.Tier, "kbps", d.Kbps, "overlay", wanted.Overlay)
		if err := p.subscribed.Move(wanted); err != nil {
			p.end(fmt.Errorf("no video: %w", err))
		}
	}
	if n := p.subscribed.Dropped(); p.cfg.Dropped != nil {
		p.cfg.Dropped.Add(n - p.dropped)
		p.dropped = n
	}
	if now.Sub(p.told) >= tellInterval {
		p.tell(now, state)
	}
}

// link returns the state of the link; one that nobody measures carries all.
func (p *Peer) link(now time.Time) quality.Link {
	if p.cfg.Link == nil {
		return quality.Link{}
	}
	return p.cfg.Link.State(now)
}

// videoQuality is what the app is told of its picture.
type videoQuality struct {
	Type        string       `json:"type"`
	Tier        quality.Tier `json:"tier"`
	Resolution  string       `json:"resolution"`
	BitrateKbps int          `json:"bitrate_kbps"`
	LossPct     float64      `json:"loss_pct"`
	RTTMillis   int64        `json:"rtt_ms"`
	Bars        int          `json:"bars"`
	Mode        quality.Mode `json:"mode"`
}

func (p *Peer) tell(now time.Time, state quality.Link) {
	since, bits := now.Sub(p.told), p.bytes.Swap(0)*8
	first := p.told.IsZero()
	p.told = now
	if first {
		return
	}
	tier := p.subscribed.Rendition().Tier
	size := p.cfg.Stream.Ladder()[tier].Size
	var rtt time.Duration
	if p.cfg.Link != nil {
		rtt = p.cfg.Link.RTT()
	}
	p.say(videoQuality{
		Type: "video_quality", Tier: tier, Resolution: fmt.Sprintf("%dx%d", size.X, size.Y),
		BitrateKbps: int(bits / max(since.Milliseconds(), 1)), LossPct: math.Round(state.Loss*1000) / 10,
		RTTMillis: rtt.Milliseconds(), Bars: p.controller.Bars(state), Mode: p.controller.Mode(),
	})
}

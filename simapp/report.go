package simapp

import (
	"math"
	"time"

	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp/internal/measure"
)

// Report is what a viewing has measured. Times are in milliseconds. Fields
// that are told by stamps are nil for a robot whose pictures carry none (see
// testpattern); so is TTFF before the first frame.
type Report struct {
	SessionID wire.SessionID `json:"session_id"`
	// Codec is "h264" or "vp8", empty before the first packet.
	Codec string `json:"codec"`
	// Frames counts decoded pictures, FPS is their mean rate.
	Frames int     `json:"frames"`
	FPS    float64 `json:"fps"`
	// TTFF is the time from the request to the first decoded picture.
	TTFF *float64 `json:"ttff_ms"`
	// Phases are the times from the request to each step that was reached.
	Phases map[Phase]float64 `json:"phases_ms"`
	// Latency is capture to decoded; both clocks must agree.
	Latency *Latency `json:"latency_ms"`
	// StampErrors counts pictures without a readable stamp, Lost the gaps in
	// the numbers and Repeated the numbers that did not grow.
	StampErrors *int `json:"stamp_errors"`
	Lost        *int `json:"lost"`
	Repeated    *int `json:"repeated"`
	// Freezes is the freezeCount of W3C webrtc-stats.
	Freezes int `json:"freezes"`
	// LongestGap is the longest time between two pictures.
	LongestGap float64 `json:"longest_gap_ms"`
	// BitrateKbps counts RTP payload.
	BitrateKbps float64 `json:"bitrate_kbps"`
	// Pair is the selected ICE candidate pair, nil before there is one.
	Pair *Pair `json:"pair"`
}

// Totals is what a viewing has counted so far, for who draws how it changes.
type Totals struct {
	Pictures int
	Newest   time.Time // when the newest picture was decoded; zero before the first
	Bytes    int64     // of RTP payload
	// Latency of the newest stamped picture, in milliseconds; nil if none has a stamp.
	Latency *float64
}

// Latency are percentiles in milliseconds, of the latest ten minutes.
type Latency struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
}

// Pair is an ICE candidate pair (RFC 8445).
type Pair struct {
	// Local and Remote are host, srflx, prflx or relay.
	Local  string `json:"local"`
	Remote string `json:"remote"`
	// Protocol is udp or tcp; for a local relay candidate the one spoken with
	// the TURN server: udp, tcp or tls.
	Protocol string `json:"protocol"`
}

// Phase is a step on the way to the first picture.
type Phase string

// The phases in their order.
const (
	PhaseCredentials Phase = "credentials" // the relay's answer came
	PhaseOffer       Phase = "offer"       // the robot's first offer came
	PhaseAnswer      Phase = "answer"      // the answer was sent
	PhaseGathered    Phase = "gathered"    // all own candidates are known; rarely before the next
	PhaseConnected   Phase = "connected"   // ICE found a path
	PhaseSecured     Phase = "secured"     // DTLS has the keys
	PhasePacket      Phase = "packet"      // the first RTP packet came
	PhaseKeyFrame    Phase = "key_frame"   // the first key frame came, all of it
	PhaseFrame       Phase = "frame"       // the first picture was decoded
)

// newReport puts measured figures into a report's fields.
func newReport(f measure.Figures) Report {
	r := Report{
		Frames: f.Frames, FPS: tenths(f.FPS), Freezes: f.Freezes, LongestGap: millis(f.Longest),
		BitrateKbps: tenths(f.Kbps),
	}
	if f.Stamped {
		r.Latency = &Latency{P50: millis(f.P50), P95: millis(f.P95)}
		r.StampErrors, r.Lost, r.Repeated = &f.StampErrors, &f.Lost, &f.Repeated
	}
	return r
}

// millis returns d in milliseconds, rounded to tenths.
func millis(d time.Duration) float64 { return tenths(float64(d) / float64(time.Millisecond)) }

func tenths(v float64) float64 { return math.Round(v*10) / 10 }

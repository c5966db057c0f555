// Package config is what a robot is told: a YAML file with its place in the
// cloud, its camera and the video it sends.
//
//	cloud:
//	  relay_url: wss://relay.example.com
//	  device_id: wimz_abc123
//	  device_secret: ${WIMZ_DEVICE_SECRET}
//	webrtc:
//	  video: {width: 1280, height: 720, fps: 15, bitrate_kbps: 1500}
//
// A key that is not known is an error, so that a slip of the pen does not
// become a default. ${NAME} in a value stands for the environment variable of
// that name; see [Parse].
package config

import (
	"time"

	"wimz.dev/live/relay/wire"
)

// Config is a robot's configuration. [Default] says what is taken for a key
// that is left out.
type Config struct {
	Cloud  Cloud  `yaml:"cloud"`
	WebRTC WebRTC `yaml:"webrtc"`
	Camera Camera `yaml:"camera"`
	Status Status `yaml:"status"`
}

// Cloud is the way to the relay.
type Cloud struct {
	// Enabled false keeps the robot off the network: it can't be watched.
	Enabled bool `yaml:"enabled"`
	// RelayURL is ws://host:port or wss://host. A path other than / is kept.
	RelayURL string `yaml:"relay_url"`
	// DeviceID and DeviceSecret are what the relay knows the robot by.
	DeviceID     wire.DeviceID `yaml:"device_id"`
	DeviceSecret Secret        `yaml:"device_secret"`
	// ReconnectDelay is the base of the back-off after a lost connection.
	ReconnectDelay Duration `yaml:"reconnect_delay"`
}

// WebRTC is the video that viewers get, and how many may watch.
type WebRTC struct {
	// Enabled false refuses every viewer.
	Enabled bool  `yaml:"enabled"`
	Video   Video `yaml:"video"`
	// MaxConnections is how many may watch at once, 1 or 2.
	MaxConnections int `yaml:"max_connections"`
	// Codecs are offered in this order: h264, vp8.
	Codecs []string `yaml:"codecs"`
}

// Video is the size, rate and price of the pictures.
type Video struct {
	Width       int `yaml:"width"`        // pixels, a multiple of 16
	Height      int `yaml:"height"`       // pixels, a multiple of 16
	FPS         int `yaml:"fps"`          // frames per second
	BitrateKbps int `yaml:"bitrate_kbps"` // kilobits (1000 bits) per second
}

// Camera is where the pictures come from.
type Camera struct {
	Source string `yaml:"source"` // see [Sources]
}

// Status is the robot's own little HTTP server: /health and /status.
type Status struct {
	Listen string `yaml:"listen"` // host:port; port 0 takes a free one
}

// Default is the configuration of an empty file. It lacks the three values
// that nobody can guess: relay_url, device_id and device_secret.
func Default() Config {
	return Config{
		Cloud: Cloud{Enabled: true, ReconnectDelay: Duration(5 * time.Second)},
		WebRTC: WebRTC{
			Enabled:        true,
			Video:          Video{Width: 1280, Height: 720, FPS: 15, BitrateKbps: 1500},
			MaxConnections: 2,
			Codecs:         []string{"h264", "vp8"},
		},
		Camera: Camera{Source: "synthetic"},
		Status: Status{Listen: "127.0.0.1:0"},
	}
}

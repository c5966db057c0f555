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
	Cloud   Cloud   `yaml:"cloud"`
	WebRTC  WebRTC  `yaml:"webrtc"`
	Camera  Camera  `yaml:"camera"`
	Overlay Overlay `yaml:"overlay"`
	// Control is the way to the robot's own software, which has the motors.
	Control Control `yaml:"control"`
	Status  Status  `yaml:"status"`
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
	// Linger is how long the camera goes on after the last viewer, so that the
	// next one does not wait for it.
	Linger Duration `yaml:"linger"`
}

// Video is the size, rate and price of the pictures.
type Video struct {
	Width       int `yaml:"width"`        // pixels, a multiple of 16
	Height      int `yaml:"height"`       // pixels, a multiple of 16
	FPS         int `yaml:"fps"`          // frames per second
	BitrateKbps int `yaml:"bitrate_kbps"` // kilobits (1000 bits) per second
}

// Camera is where the pictures come from. What the other sources need does not
// matter to the one that is chosen.
type Camera struct {
	Source string `yaml:"source"` // see [Sources]
	Rpicam Rpicam `yaml:"rpicam"`
	V4L2   V4L2   `yaml:"v4l2"`
	Feed   Feed   `yaml:"feed"`
	File   File   `yaml:"file"`
}

// Rpicam is a Raspberry Pi's own camera.
type Rpicam struct {
	// Program is rpicam-vid, which older systems call libcamera-vid: a name on
	// PATH, or a path.
	Program string `yaml:"program"`
	// Args are further arguments, such as [--rotation, "180"] or [--camera, "1"].
	Args []string `yaml:"args"`
}

// V4L2 is a USB camera.
type V4L2 struct {
	// Device is its file: /dev/video0, or a link in /dev/v4l/by-id, which stays the
	// camera's own whatever else is plugged in.
	Device string `yaml:"device"`
}

// Feed is another program that owns the camera and sends what it sees.
type Feed struct {
	// Socket is the path of the Unix socket the robot listens on.
	Socket string `yaml:"socket"`
}

// File is a clip that is shown over and over.
type File struct {
	Path string `yaml:"path"` // .y4m, or anything ffmpeg reads
	// FPS is the rate it is shown at, in frames per second; 0 is its own.
	FPS float64 `yaml:"fps"`
}

// Overlay is what is drawn on the pictures, and where the detections come from.
type Overlay struct {
	// Enabled false draws nothing, for anybody. An app can also switch the overlay
	// off for itself.
	Enabled bool `yaml:"enabled"`
	Clock   bool `yaml:"clock"` // date and time
	Mode    bool `yaml:"mode"`  // what the robot is about
	Boxes   bool `yaml:"boxes"` // with name, confidence and behaviour
	Pose    bool `yaml:"pose"`
	// Detections is the path of a Unix socket that takes detections without
	// pictures, see robot/detections; with none only the feed's are drawn.
	Detections string `yaml:"detections"`
}

// Control is the Unix socket on which the robot's own software takes commands and
// says events; see robot/control/README.md.
type Control struct {
	// Socket is an absolute path; with none every command is refused.
	Socket string `yaml:"socket"`
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
			Linger:         Duration(3 * time.Second),
		},
		Camera: Camera{
			Source: "synthetic",
			Rpicam: Rpicam{Program: "rpicam-vid"},
			V4L2:   V4L2{Device: "/dev/video0"},
			Feed:   Feed{Socket: "/run/wimz/feed.sock"},
		},
		Overlay: Overlay{Enabled: true, Clock: true, Mode: true, Boxes: true, Pose: true},
		Status:  Status{Listen: "127.0.0.1:0"},
	}
}

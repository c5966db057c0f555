package config_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"wimz.dev/live/robot/internal/config"
)

const samples = "../../../testdata/config"

func TestGoodFiles(t *testing.T) {
	for name, value := range map[string]string{
		"ROBOT_HOST": "relay.example.com", "ROBOT_PORT": "8443", "ROBOT_ID": "12345",
		"ROBOT_SECRET": "a: b # c", "ROBOT_FPS": "24",
	} {
		t.Setenv(name, value)
	}
	for name, change := range map[string]func(*config.Config){
		"minimal": func(c *config.Config) {
			c.Cloud.RelayURL = "wss://relay.example.com"
			c.Cloud.DeviceID = "wimz_abc123"
			c.Cloud.DeviceSecret = "a: b # c"
		},
		"full": func(c *config.Config) {
			c.Cloud = config.Cloud{
				Enabled: true, RelayURL: "ws://127.0.0.1:8000", DeviceID: "wimz_abc123",
				DeviceSecret: "correct horse battery staple", ReconnectDelay: config.Duration(2500 * time.Millisecond),
			}
			c.WebRTC = config.WebRTC{
				Enabled: true, Video: config.Video{Width: 960, Height: 544, FPS: 30, BitrateKbps: 900},
				MaxConnections: 1, Codecs: []string{"vp8", "h264"}, Linger: config.Duration(500 * time.Millisecond),
			}
			c.Control.Socket = "/run/wimz/control.sock"
			c.Overlay = config.Overlay{Enabled: true, Boxes: true, Detections: "/run/wimz/detections.sock"}
			c.Camera = config.Camera{
				Source: "rpicam",
				Rpicam: config.Rpicam{Program: "libcamera-vid", Args: []string{"--rotation", "180"}},
				V4L2:   config.V4L2{Device: "/dev/v4l/by-id/usb-Acme_Cam-video-index0"},
				Feed:   config.Feed{Socket: "/run/robot/camera.sock"},
				File:   config.File{Path: "walk.mp4", FPS: 12.5},
			}
			c.Status.Listen = "127.0.0.1:8090"
		},
		"offline": func(c *config.Config) { c.Cloud.Enabled = false },
		"small": func(c *config.Config) {
			c.Cloud.Enabled = false
			c.WebRTC.Video = config.Video{Width: 320, Height: 192, FPS: 5, BitrateKbps: 200}
		},
		"variables": func(c *config.Config) {
			c.Cloud = config.Cloud{
				Enabled: true, RelayURL: "wss://relay.example.com:8443/relay", DeviceID: "12345",
				DeviceSecret: "a: b # c", ReconnectDelay: config.Duration(500 * time.Millisecond),
			}
			c.WebRTC.Video.FPS = 24
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := config.Default()
			change(&want)
			got, err := config.Load(filepath.Join(samples, "robot_good_"+name+".yaml"))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

// TestBadFiles checks that the error names everything an owner needs to know,
// and nothing that nobody should.
func TestBadFiles(t *testing.T) {
	for name, wants := range map[string][]string{
		"unknown_key":    {"line 8", `unknown key "webrtc.video.bitrate"`, "bitrate_kbps, fps, height, width"},
		"unset_variable": {"line 3", "NO_SUCH_ID", "line 4", "NO_SUCH_SECRET"},
		"duration":       {"line 5", `"soon"`, "5s"},
		"syntax":         {"line 1", "expected"},
		"shape":          {"line 1", "mapping"},
		"type":           {"line 3", "wide"},
		"h264_level":     {"1280x720 at 60 fps", "at most 30 fps"},
		"h264_size":      {"1920x1088", "too large for h264"},
		"camera":         {"camera.file.path is missing", "camera.file.fps is 0.5; use 1 to 60"},
		"url_secret":     {"cloud.relay_url holds a user"},
		"values": {
			"relay_url is no relay address", "device_id is malformed", "device_secret is missing", "reconnect_delay is 0s",
			"width is 1290, not a multiple of 16; use 1280 or 1296", "height is 20; use 96 to 1088", "fps is 0; use 1 to 60",
			"bitrate_kbps is 99", "max_connections is 3; use 1 to 2", `codecs has "h265"; use h264 or vp8`,
			`codecs has "vp8" twice`, "linger is -1s; use 0 to 5m0s", `camera.source is "webcam"; use rpicam or v4l2 or feed or file or synthetic`,
			`control.socket is "control.sock"`, `overlay.detections is "detections.sock"`, "status.listen",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Load(filepath.Join(samples, "robot_bad_"+name+".yaml"))
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error does not say %q:\n%v", want, err)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error holds a secret: %v", err)
			}
		})
	}
}

func TestBadCameras(t *testing.T) {
	for text, want := range map[string]string{
		"rpicam, rpicam: {program: ''}":                              "camera.rpicam.program is empty; use rpicam-vid",
		`rpicam, rpicam: {args: ["a\0b"]}`:                           "with a zero in it",
		"rpicam, rpicam: {args: [" + strings.Repeat("x,", 33) + "]}": "has 33 arguments; use at most 32",
		"v4l2, v4l2: {device: video0}":                               "use the camera's file, such as /dev/video0",
		"feed, feed: {socket: ''}":                                   "camera.feed.socket is missing",
		"feed, feed: {socket: feed.sock}":                            "use an absolute path",
		"feed, feed: {socket: /" + strings.Repeat("x", 107) + "}":    "at most 107 bytes",
		"file, file: {path: x, fps: .nan}":                           "camera.file.fps is NaN",
		"file, file: {path: x, fps: 61}":                             "use 1 to 60, or 0 for the clip's own",
	} {
		c, err := config.Parse([]byte("cloud: {enabled: false}\ncamera: {source: "+text+"}"), nil)
		if err == nil {
			err = c.Validate()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	c := config.Default()
	c.Cloud.Enabled, c.Camera = false, config.Camera{Source: "synthetic"}
	if err := c.Validate(); err != nil {
		t.Errorf("a camera that is not chosen matters: %v", err)
	}
}

func TestEverySampleIsTested(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(samples, "robot_*.yaml"))
	if err != nil || len(files) != 5+11 {
		t.Errorf("%d sample files, %v; the tables above know 15", len(files), err)
	}
}

func TestVariablesStayOneValue(t *testing.T) {
	env := func(string) (string, bool) { return "x\nwebrtc: {max_connections: 99}", true }
	c, err := config.Parse([]byte("cloud:\n  device_secret: ${S}\n  relay_url: 'ws://${S}'\n"), env)
	if err != nil {
		t.Fatal(err)
	}
	if c.WebRTC.MaxConnections != 2 || !strings.HasPrefix(string(c.Cloud.DeviceSecret), "x\nwebrtc") {
		t.Errorf("a value became more than a value: %+v", c)
	}
	for _, secret := range []string{"null", "~", "0x10", "true", "1e3", "2026-01-01", ""} {
		c, err = config.Parse([]byte("cloud:\n  device_secret: ${S}"), func(string) (string, bool) { return secret, true })
		if err != nil || string(c.Cloud.DeviceSecret) != secret {
			t.Errorf("secret %q was read as %q, %v", secret, string(c.Cloud.DeviceSecret), err)
		}
	}
}

func TestDocuments(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "---\n", "null"} {
		if c, err := config.Parse([]byte(text), nil); err != nil || !reflect.DeepEqual(c, config.Default()) {
			t.Errorf("%q: %+v, %v", text, c, err)
		}
	}
	for _, text := range []string{"cloud: {}\n---\ncloud: {}", "5", "cloud: {enabled: true, enabled: false}", "a: &a [*a]"} {
		if _, err := config.Parse([]byte(text), nil); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func TestSecretPrintsStars(t *testing.T) {
	c := config.Default()
	c.Cloud.DeviceSecret = "hunter2"
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("config", "secret", c.Cloud.DeviceSecret, "config", c)
	asJSON, jsonErr := json.Marshal(c)
	asYAML, yamlErr := yaml.Marshal(c)
	if jsonErr != nil || yamlErr != nil {
		t.Fatal(jsonErr, yamlErr)
	}
	for _, text := range []string{
		log.String(), string(asJSON), string(asYAML),
		fmt.Sprint(c), fmt.Sprintf("%+v %#v %s", c, c, c.Cloud.DeviceSecret),
	} {
		if strings.Contains(text, "hunter2") || !strings.Contains(text, "***") {
			t.Errorf("printed as %s", text)
		}
	}
}

func TestLoadMissingFile(t *testing.T) {
	if _, err := config.Load(filepath.Join(t.TempDir(), "no.yaml")); err == nil || !strings.Contains(err.Error(), "no.yaml") {
		t.Errorf("got %v", err)
	}
}

// FuzzParse looks for panics, and for configurations that pass although their
// text does not.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join(samples, "robot_*.yaml"))
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil {
			f.Add(data, "x")
		}
	}
	f.Add([]byte("cloud: &c {enabled: true}\nwebrtc: *c"), "y")
	f.Add([]byte("<<: {cloud: {}}"), "z")
	f.Fuzz(func(t *testing.T, data []byte, value string) {
		c, err := config.Parse(data, func(string) (string, bool) { return value, true })
		if err != nil {
			return
		}
		if c.Validate() != nil {
			return
		}
		if c.WebRTC.MaxConnections > 2 || c.WebRTC.Video.Width%16 != 0 || c.Cloud.Enabled && !c.Cloud.DeviceID.Valid() {
			t.Errorf("passed: %+v", c)
		}
	})
}

// TestVideoNeedsNoCloud: a robot's camera can be looked at before it has a relay.
func TestVideoNeedsNoCloud(t *testing.T) {
	file := filepath.Join(t.TempDir(), "robot.yaml")
	for text, wanted := range map[string]bool{
		"cloud: {enabled: true, relay_url: ''}": true,
		"cloud: {nonsense: 1}":                  false,
		"webrtc: {max_connections: 3}":          false,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.LoadVideo(file)
		if (err == nil) != wanted || wanted && !c.Cloud.Enabled {
			t.Errorf("%s: %v", text, err)
		}
	}
}

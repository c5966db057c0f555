package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Bounds of what a robot can send.
const (
	minWidth, maxWidth     = 160, 1920
	minHeight, maxHeight   = 96, 1088
	macroblock             = 16
	minFPS, maxFPS         = 1, 60
	minBitrate, maxBitrate = 100, 8000
	maxViewers             = 2
	maxReconnectDelay      = 5 * time.Minute
	maxLinger              = 5 * time.Minute
	maxArgs                = 32
	maxSocketPath          = 107 // bytes: sockaddr_un has 108 with the final zero

	// H.264 level 3.1 (ITU-T H.264, table A-1), which phones are promised, in
	// macroblocks.
	maxFrameBlocks     = 3600
	maxBlocksPerSecond = 108_000
)

// Sources are the cameras there are.
func Sources() []string { return []string{"rpicam", "v4l2", "feed", "file", "synthetic"} }

// Codecs are the video codecs there are.
func Codecs() []string { return []string{"h264", "vp8"} }

// Validate reports everything that is wrong, each with what to do about it.
func (c Config) Validate() error {
	var errs []error
	if c.Cloud.Enabled {
		errs = append(errs, c.Cloud.validate())
	}
	errs = append(errs, c.WebRTC.validate())
	errs = append(errs, c.Camera.validate())
	errs = append(errs, checkSocket("control.socket", c.Control.Socket))
	errs = append(errs, checkSocket("overlay.detections", c.Overlay.Detections))
	if _, _, err := net.SplitHostPort(c.Status.Listen); err != nil {
		errs = append(errs, fmt.Errorf("status.listen is %q; use host:port, such as 127.0.0.1:0", c.Status.Listen))
	}
	return errors.Join(errs...)
}

func (c Cloud) validate() error {
	var errs []error
	if err := checkRelayURL(c.RelayURL); err != nil {
		errs = append(errs, err)
	}
	switch {
	case c.DeviceID == "":
		errs = append(errs, errors.New("cloud.device_id is missing; use the identifier the robot is registered by"))
	case !c.DeviceID.Valid():
		errs = append(errs, errors.New("cloud.device_id is malformed; use 1 to 64 letters, digits, - and _"))
	}
	if c.DeviceSecret == "" {
		errs = append(errs, errors.New("cloud.device_secret is missing; use ${NAME} to take it from the environment"))
	}
	if delay := time.Duration(c.ReconnectDelay); delay <= 0 || delay > maxReconnectDelay {
		errs = append(errs, fmt.Errorf("cloud.reconnect_delay is %s; use more than 0 and at most %s",
			c.ReconnectDelay, maxReconnectDelay))
	}
	return errors.Join(errs...)
}

// checkRelayURL says nothing of the URL's content: it might hold a password.
func checkRelayURL(address string) error {
	const use = "use ws://host:port or wss://host"
	u, err := url.Parse(address)
	switch {
	case address == "":
		return errors.New("cloud.relay_url is missing; " + use)
	case err != nil || u.Host == "" || !slices.Contains([]string{"ws", "wss", "http", "https"}, u.Scheme):
		return errors.New("cloud.relay_url is no relay address; " + use)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("cloud.relay_url holds a user, a query or a fragment; " + use + " and cloud.device_secret")
	default:
		return nil
	}
}

// validate looks at the chosen source only: the others' keys may be left from
// another day.
func (c Camera) validate() error {
	switch c.Source {
	case "rpicam":
		return c.Rpicam.validate()
	case "v4l2":
		return c.V4L2.validate()
	case "feed":
		if c.Feed.Socket == "" {
			return errors.New("camera.feed.socket is missing; use an absolute path such as /run/wimz/feed.sock")
		}
		return checkSocket("camera.feed.socket", c.Feed.Socket)
	case "file":
		return c.File.validate()
	case "synthetic":
		return nil
	default:
		return fmt.Errorf("camera.source is %q; use %s", c.Source, either(Sources()))
	}
}

func (r Rpicam) validate() error {
	var errs []error
	if r.Program == "" {
		errs = append(errs, errors.New("camera.rpicam.program is empty; use rpicam-vid, or libcamera-vid on older systems"))
	}
	if len(r.Args) > maxArgs {
		errs = append(errs, fmt.Errorf("camera.rpicam.args has %d arguments; use at most %d", len(r.Args), maxArgs))
	}
	for _, arg := range r.Args {
		if strings.ContainsRune(arg, 0) {
			errs = append(errs, fmt.Errorf("camera.rpicam.args has %q, with a zero in it", arg))
		}
	}
	return errors.Join(errs...)
}

func (v V4L2) validate() error {
	if !strings.HasPrefix(v.Device, "/dev/") {
		return fmt.Errorf("camera.v4l2.device is %q; use the camera's file, such as /dev/video0 (v4l2-ctl --list-devices shows them)", v.Device)
	}
	return nil
}

func (f File) validate() error {
	var errs []error
	if f.Path == "" {
		errs = append(errs, errors.New("camera.file.path is missing; use the path of a .y4m or .mp4 file"))
	}
	if f.FPS != 0 && !(f.FPS >= minFPS && f.FPS <= maxFPS) { // NaN as well
		errs = append(errs, fmt.Errorf("camera.file.fps is %g; use %d to %d, or 0 for the clip's own", f.FPS, minFPS, maxFPS))
	}
	return errors.Join(errs...)
}

func (w WebRTC) validate() error {
	v := w.Video
	errs := []error{
		inRange("webrtc.video.width", v.Width, minWidth, maxWidth),
		inRange("webrtc.video.height", v.Height, minHeight, maxHeight),
		wholeBlocks("webrtc.video.width", v.Width),
		wholeBlocks("webrtc.video.height", v.Height),
		inRange("webrtc.video.fps", v.FPS, minFPS, maxFPS),
		inRange("webrtc.video.bitrate_kbps", v.BitrateKbps, minBitrate, maxBitrate),
		inRange("webrtc.max_connections", w.MaxConnections, 1, maxViewers),
	}
	if slices.Contains(w.Codecs, "h264") {
		errs = append(errs, v.fitsLevel())
	}
	if linger := time.Duration(w.Linger); linger < 0 || linger > maxLinger {
		errs = append(errs, fmt.Errorf("webrtc.linger is %s; use 0 to %s", w.Linger, maxLinger))
	}
	if len(w.Codecs) == 0 {
		errs = append(errs, fmt.Errorf("webrtc.codecs is empty; use %s", either(Codecs())))
	}
	for i, codec := range w.Codecs {
		if !slices.Contains(Codecs(), codec) {
			errs = append(errs, fmt.Errorf("webrtc.codecs has %q; use %s", codec, either(Codecs())))
		} else if slices.Contains(w.Codecs[:i], codec) {
			errs = append(errs, fmt.Errorf("webrtc.codecs has %q twice", codec))
		}
	}
	return errors.Join(errs...)
}

// fitsLevel refuses pictures that H.264 decoders were not promised.
func (v Video) fitsLevel() error {
	blocks := max(1, v.Width/macroblock*(v.Height/macroblock))
	switch {
	case blocks > maxFrameBlocks:
		return fmt.Errorf("webrtc.video is %dx%d, too large for h264; use 1280x720, or codecs: [vp8]", v.Width, v.Height)
	case blocks*v.FPS > maxBlocksPerSecond:
		return fmt.Errorf("webrtc.video is %dx%d at %d fps, too much for h264; use at most %d fps, or codecs: [vp8]",
			v.Width, v.Height, v.FPS, maxBlocksPerSecond/blocks)
	default:
		return nil
	}
}

// checkSocket looks at the path of a Unix socket; there may be none.
func checkSocket(key, path string) error {
	if path == "" || filepath.IsAbs(path) && len(path) <= maxSocketPath {
		return nil
	}
	return fmt.Errorf("%s is %q; use an absolute path of at most %d bytes, such as /run/wimz/robot.sock",
		key, path, maxSocketPath)
}

func inRange(key string, value, low, high int) error {
	if value < low || value > high {
		return fmt.Errorf("%s is %d; use %d to %d", key, value, low, high)
	}
	return nil
}

func wholeBlocks(key string, value int) error {
	if value%macroblock == 0 {
		return nil
	}
	below := value - value%macroblock
	return fmt.Errorf("%s is %d, not a multiple of %d; use %d or %d", key, value, macroblock, below, below+macroblock)
}

func either(values []string) string { return strings.Join(values, " or ") }

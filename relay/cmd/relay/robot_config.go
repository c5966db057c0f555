package main

import (
	"bytes"
	_ "embed" // the template
	"errors"
	"io"
	"net/url"
	"text/template"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

//go:embed robot.yaml.tmpl
var robotTemplate string

// relayAddress is the flag of the commands that print a robot's configuration.
type relayAddress struct {
	RelayURL string `name:"relay-url" placeholder:"URL" help:"Where the robot reaches the relay, ws:// or wss://. Default: PUBLIC_URL, or made from the relay's host and port."`
}

// relayURL returns the URL from the flag, or the public one, or one made of the
// address the relay listens on; every interface becomes localhost.
func (f *relayAddress) relayURL(cfg *config.Config) (string, error) {
	if f.RelayURL != "" {
		u, err := url.Parse(f.RelayURL)
		if err != nil || (u.Scheme != "ws" && u.Scheme != "wss") || u.Host == "" || u.User != nil {
			return "", errors.New("--relay-url: is not a ws:// or wss:// URL: use for example wss://relay.example.com")
		}
		return f.RelayURL, nil
	}
	if public, err := cfg.PublicSocketURL(); public != "" || err != nil {
		return public, err
	}
	switch address := cfg.LocalAddr(); {
	case address == "":
		return "", errors.New("the relay has no fixed port: say where the robot reaches it with --relay-url")
	case cfg.TLS():
		return "wss://" + address, nil
	default:
		return "ws://" + address, nil
	}
}

// writeRobotConfig writes the configuration a robot connects with, all of it or
// nothing. It holds the device's secret.
func writeRobotConfig(w io.Writer, relayURL string, d *store.Device) error {
	t, err := template.New("robot.yaml").Parse(robotTemplate)
	if err != nil {
		return err
	}
	var yaml bytes.Buffer
	if err = t.Execute(&yaml, struct {
		RelayURL string
		DeviceID wire.DeviceID
		Secret   string
		Paired   bool
	}{relayURL, d.ID, d.Secret.Reveal(), d.Owner != ""}); err != nil {
		return err
	}
	_, err = yaml.WriteTo(w)
	return err
}

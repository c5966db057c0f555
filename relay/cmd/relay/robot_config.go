package main

import (
	_ "embed" // the template
	"io"
	"text/template"

	"wimz.dev/live/relay/internal/store"
	"wimz.dev/live/relay/wire"
)

//go:embed robot.yaml.tmpl
var robotTemplate string

// writeRobotConfig writes the configuration a robot connects with. It holds the
// device's secret.
func writeRobotConfig(w io.Writer, relayURL string, d *store.Device) error {
	t, err := template.New("robot.yaml").Parse(robotTemplate)
	if err != nil {
		return err
	}
	return t.Execute(w, struct {
		RelayURL string
		DeviceID wire.DeviceID
		Secret   string
	}{relayURL, d.ID, d.Secret.Reveal()})
}

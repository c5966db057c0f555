package load

import (
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"wimz.dev/live/relay/wire"
)

// Robot is who a robot is for the relay.
type Robot struct {
	ID     wire.DeviceID `yaml:"device_id"`
	Secret string        `yaml:"device_secret"`
}

// ReadRobots reads the configurations of robots, as `relay device add` prints them,
// from the .yaml files of a folder. The error shows no secret.
func ReadRobots(dir string) ([]Robot, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	robots := make([]Robot, 0, len(files))
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // the operator names the folder
		if err != nil {
			return nil, err
		}
		var config struct{ Cloud Robot }
		if yaml.Unmarshal(text, &config) != nil || !config.Cloud.ID.Valid() || config.Cloud.Secret == "" {
			return nil, fmt.Errorf("%s is no configuration of a robot", file)
		}
		robots = append(robots, config.Cloud)
	}
	if len(robots) == 0 {
		return nil, fmt.Errorf("there is no .yaml file in %s; put in what relay device add prints, a file for each robot", dir)
	}
	return robots, nil
}

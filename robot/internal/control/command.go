package control

import (
	"encoding/json"
	"strconv"
	"time"

	"wimz.dev/live/relay/wire"
)

// Command is one line that the robot's software reads.
type Command struct {
	Name   Kind            `json:"command"`
	Data   json.RawMessage `json:"data,omitempty"` // an object
	From   Origin          `json:"from"`
	Reason string          `json:"reason,omitempty"` // of a stop by the robot itself
}

// appendTo appends the line.
func (c Command) appendTo(line []byte) []byte {
	text, err := json.Marshal(c)
	if err != nil { // a command's data has been read once
		panic("control: " + err.Error())
	}
	return append(append(line, text...), '\n')
}

// appendMotor appends the line of a motor frame, without garbage: there are many.
func appendMotor(line []byte, from Origin, s Speed) []byte {
	line = append(line, `{"command":"motor","data":{"left":`...)
	line = strconv.AppendFloat(line, s.Left, 'f', -1, 64)
	line = append(line, `,"right":`...)
	line = strconv.AppendFloat(line, s.Right, 'f', -1, 64)
	line = append(line, `},"from":"`...)
	line = append(line, from...)
	return append(line, "\"}\n"...)
}

// appendError appends the line that says what is wrong with an event.
func appendError(line []byte, text string) []byte {
	quoted, _ := json.Marshal(text) //nolint:errchkjson // every string can be written
	line = append(append(line, `{"error":`...), quoted...)
	return append(line, "}\n"...)
}

// Command takes in a command of the relay (CONTRACT §5). What drives goes by the
// rules of the [Wheel]; anything else goes to the robot's software in its order, and
// is answered if it can't.
func (d *Driver) Command(name string, data []byte) {
	switch kind := Kind(name); kind {
	case Motor:
		var m message
		shape := json.Unmarshal(data, &m)
		s, err := speed(m.Left, m.Right)
		if err == nil {
			err = shape
		}
		if err != nil {
			d.Refuse(name, err)
			return
		}
		d.Drive(s)
	case Stop, EmergencyStop:
		d.Stop(kind)
	default:
		order := order{
			Command: Command{Name: kind, Data: data, From: d.from},
			until:   time.Now().Add(wire.MaxCommandAge),
			refuse:  func(why *refusal) { d.tell(why.of(name)) },
		}
		if refused := d.wheel.software.order(order); refused != nil {
			order.refuse(refused)
		}
	}
}

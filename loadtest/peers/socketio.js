// Socket.IO with its own rooms, over WebSocket alone. Nothing is kept, checked or numbered.
const { createServer } = require("node:http");
const { Server } = require("socket.io");

const http = createServer();
// Nobody is asked whether they are still there: it costs, and is not measured.
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false, pingInterval: 600000, pingTimeout: 600000 });
io.on("connection", (socket) => {
  const room = socket.handshake.auth.room;
  socket.join(room);
  socket.on("post", (text) => io.to(room).emit("post", text));
});
http.listen(Number(process.env.PORT), "127.0.0.1");

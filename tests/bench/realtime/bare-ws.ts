import { WebSocket, WebSocketServer } from 'ws';

/**
 * The reference: the ws library alone that forwards as /signal does, without authentication, limits, presence and all
 * else. Started with an IPC channel; answers with its port.
 */
const devices = new Map<string, WebSocket>();
const server = new WebSocketServer({
  port: 0,
  host: '127.0.0.1',
  perMessageDeflate: false,
  clientTracking: false,
  maxPayload: 65_536,
});

server.on('connection', (socket, request) => {
  const sender = new URL(request.url ?? '', 'http://localhost').searchParams.get('device_id') ?? '';
  devices.set(sender, socket);
  socket.on('close', () => devices.delete(sender));
  socket.on('message', (data) => {
    const frame = JSON.parse(String(data));
    const target = devices.get(frame.target_device_id);
    if (target?.readyState !== WebSocket.OPEN) return;
    target.send(JSON.stringify({ ...frame, sender_device_id: sender }));
    socket.send(
      JSON.stringify({ type: 'ack', message: `Message delivered to ${frame.target_device_id}`, id: frame.id }),
    );
  });
  socket.send(JSON.stringify({ type: 'connected', device_id: sender }));
});
server.on('listening', () => process.send?.((server.address() as { port: number }).port));
process.once('disconnect', () => process.exit(0));

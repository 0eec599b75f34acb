const ws = new WebSocket('ws://localhost:8080/api/ws');
ws.onopen = () => {
console.log('Connected');
};
ws.onmessage = (event) => {
const msg = JSON.parse(event.data);
switch (msg.type) {
case 'init':
console.log('Jobs:', msg.data.jobs);
break;
case 'job_update':
const job = msg.data;
const percent = (job.progress.downloadedBytes / job.progress.totalBytes * 100).toFixed(1);
console.log(`${job.repo}: ${percent}%`);
break;
}
};
ws.onerror = (err) => console.error('WebSocket error:', err);
ws.onclose = () => console.log('Disconnected');

import { expect, test } from 'vitest';
import { createMetrics } from '../../src/observability/metrics.ts';

/** What a scrape tells of ours, without the process's own. */
async function scraped(metrics: ReturnType<typeof createMetrics>): Promise<string[]> {
  const text = await metrics.registry.metrics();
  return text.split('\n').filter((line) => line.startsWith('wuts_'));
}

test('everything that is asked at a scrape is there from the start, as nothing', async () => {
  expect(await scraped(createMetrics())).toEqual([
    'wuts_unseen_ciphertexts_total 0',
    'wuts_inbound_set_aside_dropped_total 0',
    'wuts_inbound_journal_messages 0',
    'wuts_inbound_set_aside 0',
    'wuts_devices_limited 0',
    'wuts_database_bytes 0',
    'wuts_database_wal_bytes 0',
    'wuts_disk_free_bytes 0',
  ]);
});

test('the process is measured once, and told with each gateway', async () => {
  const [first, second] = [createMetrics().registry, createMetrics().registry];
  for (const name of ['nodejs_gc_duration_seconds', 'nodejs_eventloop_lag_p99_seconds', 'process_open_fds']) {
    expect(await first.metrics()).toContain(`# TYPE ${name} `);
    expect(second.getSingleMetric(name)).toBe(first.getSingleMetric(name));
  }
});

test('what is asked is told as it is now, and nothing of what was', async () => {
  const metrics = createMetrics();
  metrics.setJournalCounter(async () => ({ waiting: 2, setAside: 3 }));
  metrics.setLimitCounter(async () => 4);
  metrics.setStorageSizes(async () => ({ database: 5, wal: 6, diskFree: 7 }));
  metrics.setJobCounter(async () => ({ queued: 8 }));
  let devices = [{ state: 'connected', reason: 'linked', count: 9 }];
  metrics.setDeviceCounter(async () => devices);
  const always = [
    'wuts_inbound_journal_messages 2',
    'wuts_inbound_set_aside 3',
    'wuts_devices_limited 4',
    'wuts_database_bytes 5',
    'wuts_database_wal_bytes 6',
    'wuts_disk_free_bytes 7',
    'wuts_send_jobs{state="queued"} 8',
  ];
  const connected = 'wuts_devices{state="connected",reason="linked"} 9';
  expect(await scraped(metrics)).toEqual(expect.arrayContaining([...always, connected]));
  devices = [{ state: 'closed', reason: 'network', count: 1 }];
  const later = await scraped(metrics);
  expect(later).toEqual(
    expect.arrayContaining([...always, 'wuts_devices{state="closed",reason="network"} 1']),
  );
  expect(later).not.toContain(connected);
});

test('what happens is counted under its labels', async () => {
  const metrics = createMetrics();
  metrics.httpRequests.inc({ method: 'GET', route: '/x', status: '200' });
  metrics.httpSeconds.observe({ method: 'GET', route: '/x' }, 0.3);
  metrics.inboundMessages.inc({ outcome: 'stored' });
  metrics.unreadable.inc({ outcome: 'set_aside' });
  metrics.mediaRequests.inc({ outcome: 'ready' });
  metrics.sends.inc({ outcome: 'sent' });
  expect(await scraped(metrics)).toEqual(
    expect.arrayContaining([
      'wuts_http_requests_total{method="GET",route="/x",status="200"} 1',
      'wuts_http_request_duration_seconds_bucket{le="0.25",method="GET",route="/x"} 0',
      'wuts_http_request_duration_seconds_bucket{le="0.5",method="GET",route="/x"} 1',
      'wuts_inbound_messages_total{outcome="stored"} 1',
      'wuts_inbound_unreadable_total{outcome="set_aside"} 1',
      'wuts_media_requests_total{outcome="ready"} 1',
      'wuts_sends_total{outcome="sent"} 1',
    ]),
  );
});

/** Buttons as WhatsApp's apps show them today: an interactive message with a "native flow". */
import { randomBytes } from 'node:crypto';
import type { StanzaNode } from '../../whatsapp/port/messages.ts';
import type { WireMessage } from '../../whatsapp/port/wire-message.ts';

export interface FlowButton {
  /** `quick_reply`, `single_select`, … */
  name: string;
  params: Record<string, unknown>;
}

export interface NativeFlow {
  title?: string | undefined;
  body: string;
  footer?: string | undefined;
  buttons: FlowButton[];
}

/** waE2E.InteractiveMessage with its buttons. */
export function nativeFlowMessage(flow: NativeFlow, contextInfo: WireMessage | null): WireMessage {
  return {
    interactiveMessage: {
      ...(flow.title ? { header: { title: flow.title, hasMediaAttachment: false } } : {}),
      body: { text: flow.body },
      ...(flow.footer ? { footer: { text: flow.footer } } : {}),
      nativeFlowMessage: {
        buttons: flow.buttons.map(({ name, params }) => ({ name, buttonParamsJson: JSON.stringify(params) })),
        messageVersion: 1,
      },
      ...(contextInfo ? { contextInfo } : {}),
    },
  };
}

/**
 * What makes the server deliver and the apps show it, at `now` (milliseconds): without the node it arrives and is not shown, and a
 * bare `<interactive/>` is refused with 479 (measured in whatsmeow pull request 1235).
 */
export function nativeFlowNodes(now: number): StanzaNode[] {
  return [
    {
      tag: 'biz',
      attrs: {
        actual_actors: '2',
        host_storage: '2',
        privacy_mode_ts: String(Math.floor(now / 1000)),
      },
      content: [
        {
          tag: 'interactive',
          attrs: { type: 'native_flow', v: '1' },
          content: [{ tag: 'native_flow', attrs: { v: '9', name: 'mixed' } }],
        },
        {
          tag: 'quality_control',
          attrs: { decision_id: randomBytes(20).toString('hex'), source_type: 'third_party' },
        },
      ],
    },
  ];
}

/** Whose device a session is with. */
export class ProtocolAddress {
  readonly id: string;
  readonly deviceId: number;

  constructor(id: string, deviceId: number) {
    this.id = id;
    this.deviceId = deviceId;
  }

  /** The name under which the storage has it. */
  toString(): string {
    return `${this.id}.${this.deviceId}`;
  }
}

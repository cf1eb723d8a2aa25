/** A folder behind @fastify/static: what warm media is measured against. */
import fastifyStatic from '@fastify/static';
import Fastify from 'fastify';
import { answerCalls } from './calls.ts';

const app = Fastify();
await app.register(fastifyStatic, { root: process.env.FOLDER ?? '' });
const url = await app.listen({ host: '127.0.0.1', port: 0 });

answerCalls({ url: () => url });

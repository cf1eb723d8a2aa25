/** The recipes of docs/webhooks.md in other languages. */
import { join } from 'node:path';
import { recipesHold } from './recipe-verdicts.ts';

recipesHold([
  {
    name: 'python',
    file: 'recipe.py',
    driver: {
      file: 'driver.py',
      code: `import json, sys
from recipe import verify_signature, verify_standard
print(json.dumps([[verify_standard(d["headers"], d["body"].encode(), d["secret"]),
                   verify_signature(d["body"].encode(), d["secret"])] for d in json.load(sys.stdin)]))`,
    },
    run: (folder) => ['python3', join(folder, 'driver.py')],
  },
  {
    name: 'php',
    file: 'recipe.php',
    driver: {
      file: 'driver.php',
      code: `<?php require __DIR__ . '/recipe.php';
echo json_encode(array_map(fn ($d) => [verify_standard($d['headers'], $d['body'], $d['secret']),
  verify_signature($d['body'], $d['secret'])], json_decode(file_get_contents('php://stdin'), true)));`,
    },
    run: (folder) => ['php', join(folder, 'driver.php')],
  },
  {
    name: 'go',
    file: 'recipe.go',
    driver: {
      file: 'driver.go',
      code: `package main
import ("encoding/json"; "net/http"; "os")
func main() {
  var deliveries []struct { Headers map[string]string; Body, Secret string }
  json.NewDecoder(os.Stdin).Decode(&deliveries)
  results := [][]bool{}
  for _, d := range deliveries {
    header := http.Header{}
    for name, value := range d.Headers { header.Set(name, value) }
    results = append(results, []bool{VerifyStandard(header, []byte(d.Body), d.Secret), VerifySignature([]byte(d.Body), d.Secret)})
  }
  json.NewEncoder(os.Stdout).Encode(results)
}`,
    },
    run: (folder) => ['go', 'run', join(folder, 'recipe.go'), join(folder, 'driver.go')],
  },
]);

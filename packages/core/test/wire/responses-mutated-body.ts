/** A request of Responses in which every byte matters to somebody, for `checkMutatedBodies`. */
export const mutatedBody =
  '{"model":"a/b","input":[{"role":"user","content":"hi","__proto__":{"x":1}},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}],' +
  '"stream":true,"max_output_tokens":5,"tools":[{"type":"function","name":"f","parameters":{"constructor":{}}}],"metadata":{"k":"\\ud800é😀"}}';

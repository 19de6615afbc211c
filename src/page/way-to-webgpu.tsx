/** What to do about a missing WebGPU in this browser. */
import { wayToWebGpu } from './webgpu-steps';

export function WayToWebGpu() {
  const steps = wayToWebGpu({
    userAgent: navigator.userAgent,
    isSecure: isSecureContext,
    hasApi: 'gpu' in navigator,
  });
  return (
    <ul>
      {steps.map((step) => (
        <li key={step}>{step}</li>
      ))}
    </ul>
  );
}

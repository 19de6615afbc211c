import { architectureNames } from '../src/model/zoo';

/** Classes, and members of families whose dispatches differ from another's in number or size alone. */
const ALIKE =
  /^(resnet(\d{2,}|)_cifar|densenet\d+|resnet|(wide_)?resne(x?)t(18|34|101|152)d?(_\w+)?|shufflenet_v2_x1_\d|mnasnet(0_75|1_0)|efficientnet_b[123]|convnext(_femto|_pico|_nano|_small|_base|)|convnextv2(_femto|_pico|_nano|_tiny|)|vgg1[369](_bn)?|mobileone_s[123]|ghostnet_(050|130)|fasternet_(t1|s|m)|hornet_small_7x7|replknet31b|slak_tiny|repvgg_(a1|a2|b0)|regnet_\w_(800mf|1_6gf))$/;

/** Architectures that between them have every kind of dispatch. */
export const variedArchitectures = architectureNames().filter(
  (name) => name === 'resnet20_cifar' || !ALIKE.test(name),
);

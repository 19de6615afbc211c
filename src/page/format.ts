export * from '../report/format';

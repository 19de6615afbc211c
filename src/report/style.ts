/** How a report looks: on screens of any width, light and dark, and on paper. */
export const style = `
:root{color-scheme:light dark;--ground:#fbfcfb;--well:#eff3f1;--ink:#17232b;--soft:#52636b;--line:#d4dddb;--accent:#0e7c6b;--bad:#b3261e;
--c0:#0e7c6b;--c1:#5b3aa8;--c2:#a8480a;--c3:#1f5fa8;--c4:#9c2a63;--c5:#5f6b14;font:15px/1.5 "Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;color:var(--ink);background:var(--ground)}
@media(prefers-color-scheme:dark){:root{--ground:#141d20;--well:#1c272a;--ink:#e3eae8;--soft:#97a8a8;--line:#33434a;--accent:#4fd0b4;--bad:#ff9d92;
--c0:#4fd0b4;--c1:#c3a5ff;--c2:#ffb07a;--c3:#8cc4ff;--c4:#ff9ccb;--c5:#d3df78}}
body{max-width:60rem;margin:0 auto;padding:1rem}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0}h2{font-size:1.25rem;margin:2.2rem 0 .5rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}h3{font-size:1rem;margin:1.4rem 0 .4rem}
h1,h2,h3,p,td,th,dd,li,figcaption{overflow-wrap:anywhere}
p,ul{margin:.4rem 0}.hint,figcaption,small{color:var(--soft);font-size:.85rem}small{display:block}
.outcome{border-left:4px solid var(--line);padding:.3rem .8rem;background:var(--well)}.outcome.good{border-color:var(--accent)}.outcome.bad{border-color:var(--bad)}
.figures{display:flex;flex-wrap:wrap;gap:.5rem 2rem;margin:.8rem 0}.figures div{min-width:7rem}dt{color:var(--soft);font-size:.85rem}dd{margin:0;font-variant-numeric:tabular-nums}.figures dd{font-size:1.3rem}.figures small{font-size:.8rem}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:6px}
table{border-collapse:collapse;width:100%;font-size:.82rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:.25rem .5rem;font-weight:400}thead th{color:var(--soft);border-bottom:1px solid var(--line)}tbody tr:nth-child(odd){background:var(--well)}.n{text-align:right;white-space:nowrap}
tbody th{min-width:7rem}.arms tbody th{min-width:14rem}.wide th,.wide td{min-width:6rem}.wide tr>th:first-child{position:sticky;left:0;min-width:8.5rem;background:var(--ground)}.wide tbody tr:nth-child(odd)>th{background:var(--well)}.confusion td{text-align:right;min-width:1.8rem}.confusion th{max-width:9rem}.confusion td.right{font-weight:600;color:var(--accent)}.confusion td.none{color:var(--soft)}
figure{margin:.6rem 0}figcaption{margin-bottom:.2rem}svg{width:100%;height:auto;max-width:46rem;font-size:12px}svg text{fill:var(--soft)}.grid line{stroke:var(--line)}svg .base{stroke:var(--soft);stroke-dasharray:6 5}
.run polyline{fill:none;stroke-width:1.8}.run.c0 polyline{stroke-width:3}.run polygon{stroke:none;fill-opacity:.18}.d1 polyline{stroke-dasharray:4 3}
${[0, 1, 2, 3, 4, 5]
  .map(
    (
      i,
    ) => `.run.c${i} polyline{stroke:var(--c${i})}.run.c${i} polygon{fill:var(--c${i})}.run.c${i} circle{fill:var(--ground);stroke:var(--c${i});stroke-width:1.8}
.legend i.c${i}{border-color:var(--c${i})}`,
  )
  .join('')}
.legend{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.2rem 1.2rem}.legend i{display:inline-block;width:1.4rem;border-top:3px solid;margin-right:.4rem;vertical-align:middle}.legend i.d1{border-top-style:dashed}
.maps{display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:1rem}.maps figure{margin:0}.maps span{display:flex;gap:.4rem}.maps img{width:calc(50% - .2rem);aspect-ratio:1;image-rendering:pixelated;border:1px solid var(--line)}.maps.arms{grid-template-columns:repeat(auto-fill,minmax(7.5rem,1fr))}.maps.arms img{width:100%}
svg .right{fill:var(--accent)}svg .gap{fill:var(--bad);opacity:.45}.reliability{border:1px solid var(--line);max-width:16rem}.reliability line{stroke:var(--soft);stroke-width:.6;stroke-dasharray:3 2}
.maps svg{max-width:20rem}.wide-maps{grid-template-columns:repeat(auto-fill,minmax(16rem,1fr))}.skeletons svg{max-width:5rem}.skeletons span{flex-wrap:wrap}
svg.seen{display:block;image-rendering:pixelated;border:1px solid var(--line)}.swatches svg{width:.8rem;height:.8rem;margin-right:.4rem;vertical-align:middle}
.maps{align-items:end}.chart svg{overflow:visible}
.scale svg{display:inline-block;width:8rem;height:.8rem;margin:0 .4rem;vertical-align:middle}
@media(max-width:40rem){.chart svg{font-size:18px}.arms tbody th{min-width:7rem}.arms .n:nth-child(-n+4){white-space:normal;min-width:4.2rem}}
code{font-size:.8rem;overflow-wrap:anywhere}details{margin:.5rem 0}summary{cursor:pointer}
@media print{:root{color-scheme:light}body{max-width:none;padding:0;font-size:11px}h2,h3,figure,.outcome{break-after:avoid}figure,tr,.maps figure{break-inside:avoid}.scroll{overflow:visible;border:0}.outcome{background:none}}
`;

PRAGMA application_id = 1414747218;
PRAGMA user_version = 6;
BEGIN TRANSACTION;
CREATE TABLE faults ("scenario" INTEGER, "trial" INTEGER, "number" INTEGER, "structure" TEXT, "register" TEXT, "word" INTEGER, "bank" INTEGER, "row" INTEGER, "column" INTEGER, "position" INTEGER, "bit" INTEGER, "fault" TEXT, "cycle" INTEGER, "until" INTEGER, "acts" INTEGER, PRIMARY KEY (scenario, trial, number));
INSERT INTO "faults" VALUES(0,0,0,'scratchpad','',25914,3,669,106,NULL,53,'flip',181,182,1);
INSERT INTO "faults" VALUES(0,0,1,'scratchpad','',25914,3,669,108,NULL,54,'flip',181,182,1);
INSERT INTO "faults" VALUES(0,0,2,'scratchpad','',25914,3,669,110,NULL,55,'flip',181,182,1);
INSERT INTO "faults" VALUES(0,0,3,'scratchpad','',25914,3,669,112,NULL,56,'flip',181,182,1);
INSERT INTO "faults" VALUES(0,0,4,'scratchpad','',25915,3,669,105,NULL,52,'flip',181,182,1);
INSERT INTO "faults" VALUES(0,0,5,'scratchpad','',25915,3,669,107,NULL,53,'flip',181,182,1);
INSERT INTO "faults" VALUES(0,0,6,'scratchpad','',25915,3,669,109,NULL,54,'flip',181,182,1);
INSERT INTO "faults" VALUES(0,0,7,'scratchpad','',25915,3,669,111,NULL,55,'flip',181,182,1);
INSERT INTO "faults" VALUES(0,0,8,'scratchpad','',25915,3,669,113,NULL,56,'flip',181,182,1);
INSERT INTO "faults" VALUES(0,0,9,'scratchpad','',25917,3,670,109,NULL,54,'flip',181,182,1);
INSERT INTO "faults" VALUES(0,2,0,'accumulator','',14452,1,391,200,NULL,18,'flip',121,122,1);
INSERT INTO "faults" VALUES(0,2,1,'accumulator','',14453,1,391,201,NULL,18,'flip',121,122,1);
INSERT INTO "faults" VALUES(0,2,2,'accumulator','',14454,1,391,202,NULL,18,'flip',121,122,1);
INSERT INTO "faults" VALUES(0,2,3,'accumulator','',14455,1,391,199,NULL,17,'flip',121,122,1);
INSERT INTO "faults" VALUES(0,9,0,'scratchpad','',8499,1,153,117,NULL,58,'flip',93,94,1);
INSERT INTO "faults" VALUES(0,5,0,'scratchpad','',440,0,220,32,NULL,16,'flip',24,25,1);
INSERT INTO "faults" VALUES(0,8,0,'scratchpad','',17252,2,434,78,NULL,39,'flip',184,185,1);
INSERT INTO "faults" VALUES(0,8,1,'scratchpad','',17252,2,434,80,NULL,40,'flip',184,185,1);
INSERT INTO "faults" VALUES(0,8,2,'scratchpad','',17252,2,434,82,NULL,41,'flip',184,185,1);
INSERT INTO "faults" VALUES(0,8,3,'scratchpad','',17252,2,434,84,NULL,42,'flip',184,185,1);
INSERT INTO "faults" VALUES(0,8,4,'scratchpad','',17252,2,434,86,NULL,43,'flip',184,185,1);
INSERT INTO "faults" VALUES(0,8,5,'scratchpad','',17253,2,434,79,NULL,39,'flip',184,185,1);
INSERT INTO "faults" VALUES(0,8,6,'scratchpad','',17253,2,434,81,NULL,40,'flip',184,185,1);
INSERT INTO "faults" VALUES(0,8,7,'scratchpad','',17253,2,434,83,NULL,41,'flip',184,185,1);
INSERT INTO "faults" VALUES(0,8,8,'scratchpad','',17253,2,434,85,NULL,42,'flip',184,185,1);
INSERT INTO "faults" VALUES(0,6,0,'scratchpad','',9998,1,903,94,NULL,47,'flip',248,249,1);
INSERT INTO "faults" VALUES(0,6,1,'scratchpad','',10000,1,904,94,NULL,47,'flip',248,249,1);
INSERT INTO "faults" VALUES(0,6,2,'scratchpad','',10000,1,904,96,NULL,48,'flip',248,249,1);
INSERT INTO "faults" VALUES(0,6,3,'scratchpad','',10001,1,904,93,NULL,46,'flip',248,249,1);
INSERT INTO "faults" VALUES(0,6,4,'scratchpad','',10001,1,904,95,NULL,47,'flip',248,249,1);
INSERT INTO "faults" VALUES(0,10,0,'accumulator','',14061,1,366,413,NULL,7,'flip',83,84,1);
INSERT INTO "faults" VALUES(0,10,1,'accumulator','',14062,1,366,414,NULL,7,'flip',83,84,1);
INSERT INTO "faults" VALUES(0,1,0,'scratchpad','',23388,2,3502,116,NULL,58,'flip',266,267,1);
INSERT INTO "faults" VALUES(0,1,1,'scratchpad','',23389,2,3502,117,NULL,58,'flip',266,267,1);
INSERT INTO "faults" VALUES(0,11,0,'scratchpad','',5784,0,2892,106,NULL,53,'flip',80,81,1);
INSERT INTO "faults" VALUES(0,11,1,'scratchpad','',5784,0,2892,108,NULL,54,'flip',80,81,1);
INSERT INTO "faults" VALUES(0,11,2,'scratchpad','',5784,0,2892,110,NULL,55,'flip',80,81,1);
INSERT INTO "faults" VALUES(0,11,3,'scratchpad','',5785,0,2892,107,NULL,53,'flip',80,81,1);
INSERT INTO "faults" VALUES(0,11,4,'scratchpad','',5785,0,2892,109,NULL,54,'flip',80,81,1);
INSERT INTO "faults" VALUES(0,11,5,'scratchpad','',5785,0,2892,111,NULL,55,'flip',80,81,1);
INSERT INTO "faults" VALUES(0,4,0,'scratchpad','',23312,2,3464,102,NULL,51,'flip',67,68,1);
INSERT INTO "faults" VALUES(0,7,0,'accumulator','',4964,0,310,220,NULL,23,'flip',123,124,1);
INSERT INTO "faults" VALUES(0,7,1,'accumulator','',4964,0,310,224,NULL,24,'flip',123,124,1);
INSERT INTO "faults" VALUES(0,7,2,'accumulator','',4965,0,310,221,NULL,23,'flip',123,124,1);
INSERT INTO "faults" VALUES(0,7,3,'accumulator','',4965,0,310,225,NULL,24,'flip',123,124,1);
INSERT INTO "faults" VALUES(0,7,4,'accumulator','',4966,0,310,218,NULL,22,'flip',123,124,1);
INSERT INTO "faults" VALUES(0,7,5,'accumulator','',4966,0,310,222,NULL,23,'flip',123,124,1);
INSERT INTO "faults" VALUES(0,7,6,'accumulator','',4967,0,310,219,NULL,22,'flip',123,124,1);
INSERT INTO "faults" VALUES(0,7,7,'accumulator','',4967,0,310,223,NULL,23,'flip',123,124,1);
INSERT INTO "faults" VALUES(0,3,0,'scratchpad','',27656,3,1540,32,NULL,16,'flip',39,40,1);
INSERT INTO "faults" VALUES(0,3,1,'scratchpad','',27656,3,1540,34,NULL,17,'flip',39,40,1);
INSERT INTO "faults" VALUES(0,3,2,'scratchpad','',27656,3,1540,36,NULL,18,'flip',39,40,1);
INSERT INTO "faults" VALUES(0,3,3,'scratchpad','',27657,3,1540,31,NULL,15,'flip',39,40,1);
INSERT INTO "faults" VALUES(0,3,4,'scratchpad','',27657,3,1540,33,NULL,16,'flip',39,40,1);
INSERT INTO "faults" VALUES(0,3,5,'scratchpad','',27657,3,1540,35,NULL,17,'flip',39,40,1);
INSERT INTO "faults" VALUES(0,3,6,'scratchpad','',27657,3,1540,37,NULL,18,'flip',39,40,1);
INSERT INTO "faults" VALUES(0,3,7,'scratchpad','',27659,3,1541,35,NULL,17,'flip',39,40,1);
INSERT INTO "faults" VALUES(1,0,0,'scratchpad','',25914,3,669,106,NULL,53,'flip',181,182,1);
INSERT INTO "faults" VALUES(1,0,1,'scratchpad','',25914,3,669,108,NULL,54,'flip',181,182,1);
INSERT INTO "faults" VALUES(1,0,2,'scratchpad','',25914,3,669,110,NULL,55,'flip',181,182,1);
INSERT INTO "faults" VALUES(1,0,3,'scratchpad','',25914,3,669,112,NULL,56,'flip',181,182,1);
INSERT INTO "faults" VALUES(1,0,4,'scratchpad','',25915,3,669,105,NULL,52,'flip',181,182,1);
INSERT INTO "faults" VALUES(1,0,5,'scratchpad','',25915,3,669,107,NULL,53,'flip',181,182,1);
INSERT INTO "faults" VALUES(1,0,6,'scratchpad','',25915,3,669,109,NULL,54,'flip',181,182,1);
INSERT INTO "faults" VALUES(1,0,7,'scratchpad','',25915,3,669,111,NULL,55,'flip',181,182,1);
INSERT INTO "faults" VALUES(1,0,8,'scratchpad','',25915,3,669,113,NULL,56,'flip',181,182,1);
INSERT INTO "faults" VALUES(1,0,9,'scratchpad','',25917,3,670,109,NULL,54,'flip',181,182,1);
INSERT INTO "faults" VALUES(1,2,0,'accumulator','',14452,1,391,228,NULL,18,'flip',121,122,1);
INSERT INTO "faults" VALUES(1,2,1,'accumulator','',14453,1,391,229,NULL,18,'flip',121,122,1);
INSERT INTO "faults" VALUES(1,2,2,'accumulator','',14454,1,391,230,NULL,18,'flip',121,122,1);
INSERT INTO "faults" VALUES(1,2,3,'accumulator','',14455,1,391,227,NULL,17,'flip',121,122,1);
INSERT INTO "faults" VALUES(1,9,0,'scratchpad','',8499,1,153,117,NULL,58,'flip',93,94,1);
INSERT INTO "faults" VALUES(1,5,0,'scratchpad','',441,0,220,141,NULL,70,'flip',24,25,1);
INSERT INTO "faults" VALUES(1,8,0,'scratchpad','',17252,2,434,78,NULL,39,'flip',184,185,1);
INSERT INTO "faults" VALUES(1,8,1,'scratchpad','',17252,2,434,80,NULL,40,'flip',184,185,1);
INSERT INTO "faults" VALUES(1,8,2,'scratchpad','',17252,2,434,82,NULL,41,'flip',184,185,1);
INSERT INTO "faults" VALUES(1,8,3,'scratchpad','',17252,2,434,84,NULL,42,'flip',184,185,1);
INSERT INTO "faults" VALUES(1,8,4,'scratchpad','',17252,2,434,86,NULL,43,'flip',184,185,1);
INSERT INTO "faults" VALUES(1,8,5,'scratchpad','',17253,2,434,79,NULL,39,'flip',184,185,1);
INSERT INTO "faults" VALUES(1,8,6,'scratchpad','',17253,2,434,81,NULL,40,'flip',184,185,1);
INSERT INTO "faults" VALUES(1,8,7,'scratchpad','',17253,2,434,83,NULL,41,'flip',184,185,1);
INSERT INTO "faults" VALUES(1,8,8,'scratchpad','',17253,2,434,85,NULL,42,'flip',184,185,1);
INSERT INTO "faults" VALUES(1,6,0,'scratchpad','',9998,1,903,94,NULL,47,'flip',248,249,1);
INSERT INTO "faults" VALUES(1,6,1,'scratchpad','',10000,1,904,94,NULL,47,'flip',248,249,1);
INSERT INTO "faults" VALUES(1,6,2,'scratchpad','',10000,1,904,96,NULL,48,'flip',248,249,1);
INSERT INTO "faults" VALUES(1,6,3,'scratchpad','',10001,1,904,93,NULL,46,'flip',248,249,1);
INSERT INTO "faults" VALUES(1,6,4,'scratchpad','',10001,1,904,95,NULL,47,'flip',248,249,1);
INSERT INTO "faults" VALUES(1,10,0,'accumulator','',14061,1,366,497,NULL,7,'flip',83,84,1);
INSERT INTO "faults" VALUES(1,10,1,'accumulator','',14062,1,366,498,NULL,7,'flip',83,84,1);
INSERT INTO "faults" VALUES(1,1,0,'scratchpad','',23388,2,3502,116,NULL,58,'flip',266,267,1);
INSERT INTO "faults" VALUES(1,1,1,'scratchpad','',23389,2,3502,117,NULL,58,'flip',266,267,1);
INSERT INTO "faults" VALUES(1,11,0,'scratchpad','',5784,0,2892,106,NULL,53,'flip',80,81,1);
INSERT INTO "faults" VALUES(1,11,1,'scratchpad','',5784,0,2892,108,NULL,54,'flip',80,81,1);
INSERT INTO "faults" VALUES(1,11,2,'scratchpad','',5784,0,2892,110,NULL,55,'flip',80,81,1);
INSERT INTO "faults" VALUES(1,11,3,'scratchpad','',5785,0,2892,107,NULL,53,'flip',80,81,1);
INSERT INTO "faults" VALUES(1,11,4,'scratchpad','',5785,0,2892,109,NULL,54,'flip',80,81,1);
INSERT INTO "faults" VALUES(1,11,5,'scratchpad','',5785,0,2892,111,NULL,55,'flip',80,81,1);
INSERT INTO "faults" VALUES(1,4,0,'scratchpad','',23312,2,3464,102,NULL,51,'flip',67,68,1);
INSERT INTO "faults" VALUES(1,7,0,'accumulator','',4964,0,310,248,NULL,23,'flip',123,124,1);
INSERT INTO "faults" VALUES(1,7,1,'accumulator','',4964,0,310,252,NULL,24,'flip',123,124,1);
INSERT INTO "faults" VALUES(1,7,2,'accumulator','',4965,0,310,249,NULL,23,'flip',123,124,1);
INSERT INTO "faults" VALUES(1,7,3,'accumulator','',4965,0,310,253,NULL,24,'flip',123,124,1);
INSERT INTO "faults" VALUES(1,7,4,'accumulator','',4966,0,310,246,NULL,22,'flip',123,124,1);
INSERT INTO "faults" VALUES(1,7,5,'accumulator','',4966,0,310,250,NULL,23,'flip',123,124,1);
INSERT INTO "faults" VALUES(1,7,6,'accumulator','',4967,0,310,247,NULL,22,'flip',123,124,1);
INSERT INTO "faults" VALUES(1,7,7,'accumulator','',4967,0,310,251,NULL,23,'flip',123,124,1);
INSERT INTO "faults" VALUES(1,3,0,'scratchpad','',27656,3,1540,32,NULL,16,'flip',39,40,1);
INSERT INTO "faults" VALUES(1,3,1,'scratchpad','',27656,3,1540,34,NULL,17,'flip',39,40,1);
INSERT INTO "faults" VALUES(1,3,2,'scratchpad','',27656,3,1540,36,NULL,18,'flip',39,40,1);
INSERT INTO "faults" VALUES(1,3,3,'scratchpad','',27657,3,1540,31,NULL,15,'flip',39,40,1);
INSERT INTO "faults" VALUES(1,3,4,'scratchpad','',27657,3,1540,33,NULL,16,'flip',39,40,1);
INSERT INTO "faults" VALUES(1,3,5,'scratchpad','',27657,3,1540,35,NULL,17,'flip',39,40,1);
INSERT INTO "faults" VALUES(1,3,6,'scratchpad','',27657,3,1540,37,NULL,18,'flip',39,40,1);
INSERT INTO "faults" VALUES(1,3,7,'scratchpad','',27659,3,1541,35,NULL,17,'flip',39,40,1);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT);
INSERT INTO "meta" VALUES('created','2026-11-29T23:01:27Z');
INSERT INTO "meta" VALUES('campaign','model: lenet5
data:
  images: fashion_mnist/test
  calibrate: fashion_mnist/train
  use: all
accelerator:
  name: gemmini_16x16
  about: "16 x 16 int8 systolic mesh, weight-stationary, double-buffered weights"
  clock: 1000
  node: 130nm
  mesh:
    rows: 16
    columns: 16
    dataflow: ws
    overflow: wrap
    preload: overlapped
  memory:
    scratchpad:
      holds: [weights, activations]
      capacity: 256KiB
      banks: 4
      row: 16
      codeword: 64
      interleave: 2
      ecc: none
      scrub: 0
      double_buffered: true
    accumulator:
      holds: [accumulators]
      capacity: 64KiB
      banks: 2
      row: 64
      codeword: 32
      interleave: 4
      ecc: none
      scrub: 0
      double_buffered: true
  schedule:
    rows_per_pass: 0
    vector_lanes: 16
    layer_latency: 0
    idle_cycles: 0
    weights: per_pass
    weight_slots: 2
    dma_bytes: 16
    dma_latency: 20
  on_due: stop
format: auto
batch: auto
strike:
  process: particle
  fault: flip
  lasts: auto
  where:
    mesh: {}
    memory: all
  count: 1
trials: 12
seed: 1
device: auto
judge: top_k
outcomes: all
engine: systemc
sweep:
  "accelerator.memory.*.ecc": [none, secded]
');
INSERT INTO "meta" VALUES('seed','1');
INSERT INTO "meta" VALUES('schema','6');
INSERT INTO "meta" VALUES('tilestrike','0.1.0');
INSERT INTO "meta" VALUES('compiler','C++ 12.2.0');
INSERT INTO "meta" VALUES('systemc','2.3.4');
INSERT INTO "meta" VALUES('libtorch','2.13.0');
CREATE TABLE outcomes ("scenario" INTEGER, "trial" INTEGER, "image" INTEGER, "outcome" TEXT, "sdc_1" INTEGER, "sdc_5" INTEGER, "sdc_10" INTEGER, "sdc_20" INTEGER, "layer" TEXT, "changed_accumulators" INTEGER, "changed_outputs" INTEGER, "golden_class" INTEGER, "faulty_class" INTEGER, "logits" BLOB, PRIMARY KEY (scenario, trial, image));
CREATE TABLE scenarios (scenario INTEGER PRIMARY KEY, label TEXT, expanded TEXT, model_hash TEXT, images_hash TEXT, calibrate_hash TEXT, faults_hash TEXT, sites INTEGER, cycles INTEGER, images INTEGER, population TEXT, accuracy REAL, warnings TEXT);
INSERT INTO "scenarios" VALUES(0,'accelerator.memory.*.ecc=none','model: lenet5
data:
  images: fashion_mnist/test
  calibrate: fashion_mnist/train
  use: all
accelerator:
  name: gemmini_16x16
  about: "16 x 16 int8 systolic mesh, weight-stationary, double-buffered weights"
  clock: 1000
  node: 130nm
  mesh:
    rows: 16
    columns: 16
    dataflow: ws
    overflow: wrap
    preload: overlapped
  memory:
    scratchpad:
      holds: [weights, activations]
      capacity: 256KiB
      banks: 4
      row: 16
      codeword: 64
      interleave: 2
      ecc: none
      scrub: 0
      double_buffered: true
    accumulator:
      holds: [accumulators]
      capacity: 64KiB
      banks: 2
      row: 64
      codeword: 32
      interleave: 4
      ecc: none
      scrub: 0
      double_buffered: true
  schedule:
    rows_per_pass: 0
    vector_lanes: 16
    layer_latency: 0
    idle_cycles: 0
    weights: per_pass
    weight_slots: 2
    dma_bytes: 16
    dma_latency: 20
  on_due: stop
format: auto
batch: auto
strike:
  process: particle
  fault: flip
  lasts: auto
  where:
    mesh: {}
    memory: all
  count: 1
trials: 12
seed: 1
device: auto
judge: top_k
outcomes: all
engine: systemc
','model-1','i','c','',2648688,300,10,'scratchpad 2,097,152 + accumulator 524,288 + mesh 27,248 cells and sites, by rate x 300 cycles x 10 images',0.9,'the network is made up');
INSERT INTO "scenarios" VALUES(1,'accelerator.memory.*.ecc=secded','model: lenet5
data:
  images: fashion_mnist/test
  calibrate: fashion_mnist/train
  use: all
accelerator:
  name: gemmini_16x16
  about: "16 x 16 int8 systolic mesh, weight-stationary, double-buffered weights"
  clock: 1000
  node: 130nm
  mesh:
    rows: 16
    columns: 16
    dataflow: ws
    overflow: wrap
    preload: overlapped
  memory:
    scratchpad:
      holds: [weights, activations]
      capacity: 256KiB
      banks: 4
      row: 16
      codeword: 64
      interleave: 2
      ecc: secded
      scrub: 0
      double_buffered: true
    accumulator:
      holds: [accumulators]
      capacity: 64KiB
      banks: 2
      row: 64
      codeword: 32
      interleave: 4
      ecc: secded
      scrub: 0
      double_buffered: true
  schedule:
    rows_per_pass: 0
    vector_lanes: 16
    layer_latency: 0
    idle_cycles: 0
    weights: per_pass
    weight_slots: 2
    dma_bytes: 16
    dma_latency: 20
  on_due: stop
format: auto
batch: auto
strike:
  process: particle
  fault: flip
  lasts: auto
  where:
    mesh: {}
    memory: all
  count: 1
trials: 12
seed: 1
device: auto
judge: top_k
outcomes: all
engine: systemc
','model-1','i','c','',3025520,300,10,'scratchpad 2,359,296 + accumulator 638,976 + mesh 27,248 cells and sites, by rate x 300 cycles x 10 images',0.9,'the network is made up');
CREATE TABLE trials ("scenario" INTEGER, "trial" INTEGER, "weight" REAL, "stratum" TEXT, "radiation" TEXT, "image" INTEGER, "structure" TEXT, "register" TEXT, "word" INTEGER, "bank" INTEGER, "row" INTEGER, "column" INTEGER, "position" INTEGER, "bit" INTEGER, "fault" TEXT, "cycle" INTEGER, "until" INTEGER, "faults" INTEGER, "bits" INTEGER, "codewords" INTEGER, "events" INTEGER, "stored" INTEGER, "activated" INTEGER, "masked_at" TEXT, "outcome" TEXT, "sdc_1" INTEGER, "sdc_5" INTEGER, "sdc_10" INTEGER, "sdc_20" INTEGER, "hung" INTEGER, "corrected" INTEGER, "detected" INTEGER, "without_stop" TEXT, "outlives" INTEGER, "later_images" INTEGER, "later_wrong" INTEGER, "later_due" INTEGER, "layer" TEXT, "pass" INTEGER, "step" INTEGER, "before" INTEGER, "after" INTEGER, "changed_accumulators" INTEGER, "changed_outputs" INTEGER, "changed_words" INTEGER, "relative_l2" REAL, "passes_simulated" INTEGER, "engine" TEXT, "audit" TEXT, "golden_class" INTEGER, "faulty_class" INTEGER, "images" INTEGER, "images_activated" INTEGER, "images_sdc" INTEGER, "images_sdc_1" INTEGER, "images_sdc_5" INTEGER, "images_sdc_10" INTEGER, "images_sdc_20" INTEGER, "images_nonfinite" INTEGER, "images_due" INTEGER, "images_correct" INTEGER, "images_golden_correct" INTEGER, "logits" BLOB, PRIMARY KEY (scenario, trial));
INSERT INTO "trials" VALUES(0,0,8.32202377045252e-09,'reach 9','neutron',1,'scratchpad','',25914,3,669,108,NULL,54,'flip',181,182,10,10,3,1,NULL,1,'','sdc',0,0,0,0,0,0,0,'sdc',0,NULL,NULL,NULL,'conv1',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,1,0,0,0,0,0,0,1,1,NULL);
INSERT INTO "trials" VALUES(0,2,3.47727335430677740243e-03,'reach 4','neutron',1,'accumulator','',14454,1,391,202,NULL,18,'flip',121,122,4,4,4,1,NULL,1,'','sdc',0,0,0,0,0,0,0,'sdc',0,NULL,NULL,NULL,'fc',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,1,0,0,0,0,0,0,1,1,NULL);
INSERT INTO "trials" VALUES(0,9,2.49999999954889373654e+00,'reach 1','neutron',1,'scratchpad','',8499,1,153,117,NULL,58,'flip',93,94,1,1,1,1,NULL,1,'','sdc',1,0,0,0,0,0,0,'sdc',0,NULL,NULL,NULL,'conv1',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,1,1,0,0,0,0,0,1,1,NULL);
INSERT INTO "trials" VALUES(0,5,2.49999999954889373654e+00,'reach 1','alpha',3,'scratchpad','',440,0,220,32,NULL,16,'flip',24,25,1,1,1,1,NULL,0,'dead','masked',0,0,0,0,0,0,0,'masked',0,NULL,NULL,NULL,'',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,0,0,0,0,0,0,0,0,0,0,NULL);
INSERT INTO "trials" VALUES(0,8,8.32202377045252e-09,'reach 9','neutron',3,'scratchpad','',17252,2,434,84,NULL,42,'flip',184,185,9,9,2,1,NULL,1,'','sdc',1,0,0,0,0,0,0,'sdc',0,NULL,NULL,NULL,'fc',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,1,1,0,0,0,0,0,0,0,NULL);
INSERT INTO "trials" VALUES(0,6,7.47751121673067772888e-03,'reach 4','neutron',4,'scratchpad','',10001,1,904,95,NULL,47,'flip',248,249,5,5,3,1,NULL,1,'','sdc',1,0,0,0,0,0,0,'sdc',0,NULL,NULL,NULL,'conv1',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,1,1,0,0,0,0,0,1,1,NULL);
INSERT INTO "trials" VALUES(0,10,2.10819543420327937255e-01,'reach 2','neutron',5,'accumulator','',14061,1,366,413,NULL,7,'flip',83,84,2,2,2,1,NULL,1,'','sdc',0,0,0,0,0,0,0,'sdc',0,NULL,NULL,NULL,'conv1',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,1,0,0,0,0,0,0,0,0,NULL);
INSERT INTO "trials" VALUES(0,1,4.13808724429905128161e-01,'reach 2','neutron',6,'scratchpad','',23388,2,3502,116,NULL,58,'flip',266,267,2,2,2,1,NULL,1,'network','masked',0,0,0,0,0,0,0,'masked',0,NULL,NULL,NULL,'conv1',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,0,0,0,0,0,0,0,0,0,NULL);
INSERT INTO "trials" VALUES(0,11,5.82016357510748861929e-05,'reach 6','neutron',6,'scratchpad','',5785,0,2892,107,NULL,53,'flip',80,81,6,6,2,1,NULL,0,'dead','masked',0,0,0,0,0,0,0,'masked',0,NULL,NULL,NULL,'',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,0,0,0,0,0,0,0,0,0,0,NULL);
INSERT INTO "trials" VALUES(0,4,2.49999999954889373654e+00,'reach 1','neutron',7,'scratchpad','',23312,2,3464,102,NULL,51,'flip',67,68,1,1,1,1,NULL,1,'network','masked',0,0,0,0,0,0,0,'masked',0,NULL,NULL,NULL,'fc',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,0,0,0,0,0,0,0,1,1,NULL);
INSERT INTO "trials" VALUES(0,7,1.19901438296411593084e-07,'reach 8','neutron',7,'accumulator','',4966,0,310,222,NULL,23,'flip',123,124,8,8,4,1,NULL,1,'','sdc',0,0,0,0,0,0,0,'sdc',0,NULL,NULL,NULL,'fc',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,1,0,0,0,0,0,0,1,1,NULL);
INSERT INTO "trials" VALUES(0,3,4.17734306952425078502e-06,'reach 7','neutron',9,'scratchpad','',27659,3,1541,35,NULL,17,'flip',39,40,8,8,3,1,NULL,1,'','sdc',0,0,0,0,0,0,0,'sdc',0,NULL,NULL,NULL,'fc',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,1,0,0,0,0,0,0,0,0,NULL);
INSERT INTO "trials" VALUES(1,0,8.18901518358477903923e-09,'reach 9 both','neutron',1,'scratchpad','',25914,3,669,108,NULL,54,'flip',181,182,10,10,3,1,NULL,1,'','due',0,0,0,0,0,1,1,'sdc',0,NULL,NULL,NULL,'conv1',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,0,0,0,0,0,0,1,1,1,NULL);
INSERT INTO "trials" VALUES(1,2,3.70683848521859799982e-03,'reach 4 right','neutron',1,'accumulator','',14454,1,391,230,NULL,18,'flip',121,122,4,4,4,1,NULL,1,'','corrected',0,0,0,0,0,3,0,'corrected',0,NULL,NULL,NULL,'fc',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,0,0,0,0,0,0,0,1,1,NULL);
INSERT INTO "trials" VALUES(1,9,2.46004319621819655949e+00,'reach 1 right','neutron',1,'scratchpad','',8499,1,153,117,NULL,58,'flip',93,94,1,1,1,1,NULL,1,'','corrected',0,0,0,0,0,1,0,'corrected',0,NULL,NULL,NULL,'conv1',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,0,0,0,0,0,0,0,1,1,NULL);
INSERT INTO "trials" VALUES(1,5,2.46004319621819700358e+00,'reach 1 right','alpha',3,'scratchpad','',441,0,220,141,NULL,70,'flip',24,25,1,1,1,1,NULL,1,'','corrected',0,0,0,0,0,1,0,'corrected',0,NULL,NULL,NULL,'fc',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,0,0,0,0,0,0,0,0,0,NULL);
INSERT INTO "trials" VALUES(1,8,8.18901518358477903923e-09,'reach 9 both','neutron',3,'scratchpad','',17252,2,434,84,NULL,42,'flip',184,185,9,9,2,1,NULL,1,'','due',0,0,0,0,0,1,1,'sdc',0,NULL,NULL,NULL,'fc',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,0,0,0,0,0,0,1,0,0,NULL);
INSERT INTO "trials" VALUES(1,6,7.35800023867311855235e-03,'reach 4 detected','neutron',4,'scratchpad','',10001,1,904,95,NULL,47,'flip',248,249,5,5,3,1,NULL,1,'','due',0,0,0,0,0,0,1,'sdc',0,NULL,NULL,NULL,'conv1',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,0,0,0,0,0,0,1,1,1,NULL);
INSERT INTO "trials" VALUES(1,10,2.24737579522987451774e-01,'reach 2 right','neutron',5,'accumulator','',14061,1,366,497,NULL,7,'flip',83,84,2,2,2,1,NULL,1,'','corrected',0,0,0,0,0,1,0,'corrected',0,NULL,NULL,NULL,'conv1',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,0,0,0,0,0,0,0,0,0,NULL);
INSERT INTO "trials" VALUES(1,1,4.07194934901282723505e-01,'reach 2 right','neutron',6,'scratchpad','',23388,2,3502,116,NULL,58,'flip',266,267,2,2,2,1,NULL,1,'','corrected',0,0,0,0,0,1,0,'corrected',0,NULL,NULL,NULL,'conv1',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,0,0,0,0,0,0,0,0,0,NULL);
INSERT INTO "trials" VALUES(1,11,5.72714152256148178923e-05,'reach 6 silent','neutron',6,'scratchpad','',5785,0,2892,107,NULL,53,'flip',80,81,6,6,2,1,NULL,0,'dead','masked',0,0,0,0,0,0,0,'masked',0,NULL,NULL,NULL,'',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,0,0,0,0,0,0,0,0,0,0,NULL);
INSERT INTO "trials" VALUES(1,4,2.46004319621819655949e+00,'reach 1 right','neutron',7,'scratchpad','',23312,2,3464,102,NULL,51,'flip',67,68,1,1,1,1,NULL,1,'','corrected',0,0,0,0,0,1,0,'corrected',0,NULL,NULL,NULL,'fc',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,0,0,0,0,0,0,0,1,1,NULL);
INSERT INTO "trials" VALUES(1,7,1.27817177605471081112e-07,'reach 8 detected','neutron',7,'accumulator','',4966,0,310,250,NULL,23,'flip',123,124,8,8,4,1,NULL,1,'','due',0,0,0,0,0,0,3,'sdc',0,NULL,NULL,NULL,'fc',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,0,0,0,0,0,0,1,1,1,NULL);
INSERT INTO "trials" VALUES(1,3,4.11057775932267082481e-06,'reach 7 detected','neutron',9,'scratchpad','',27659,3,1541,35,NULL,17,'flip',39,40,8,8,3,1,NULL,1,'','due',0,0,0,0,0,1,1,'corrected',0,NULL,NULL,NULL,'fc',NULL,NULL,0,0,0,0,0,0.0,0,'systemc',NULL,1,1,1,1,0,0,0,0,0,0,1,0,0,NULL);
COMMIT;

PRAGMA application_id = 1414747218;
PRAGMA user_version = 6;
BEGIN TRANSACTION;
CREATE TABLE faults ("scenario" INTEGER, "trial" INTEGER, "number" INTEGER, "structure" TEXT, "register" TEXT, "word" INTEGER, "bank" INTEGER, "row" INTEGER, "column" INTEGER, "position" INTEGER, "bit" INTEGER, "fault" TEXT, "cycle" INTEGER, "until" INTEGER, "acts" INTEGER, PRIMARY KEY (scenario, trial, number));
INSERT INTO "faults" VALUES(0,0,0,'mesh','partial_sum',NULL,NULL,0,9,0,13,'stuck_at_1',0,NULL,1);
INSERT INTO "faults" VALUES(0,1,0,'mesh','weight_0',NULL,NULL,14,1,0,5,'stuck_at_1',0,NULL,1);
INSERT INTO "faults" VALUES(0,2,0,'mesh','weight_0',NULL,NULL,7,12,0,3,'stuck_at_1',0,NULL,1);
INSERT INTO "faults" VALUES(0,3,0,'mesh','partial_sum',NULL,NULL,2,5,0,0,'stuck_at_1',0,NULL,1);
INSERT INTO "faults" VALUES(0,4,0,'mesh','partial_sum',NULL,NULL,5,15,0,16,'stuck_at_1',0,NULL,1);
INSERT INTO "faults" VALUES(0,5,0,'mesh','partial_sum',NULL,NULL,0,2,0,28,'stuck_at_1',0,NULL,1);
INSERT INTO "faults" VALUES(0,6,0,'mesh','deskew',NULL,NULL,NULL,7,3,19,'stuck_at_1',0,NULL,1);
INSERT INTO "faults" VALUES(0,7,0,'mesh','deskew',NULL,NULL,NULL,2,10,30,'stuck_at_1',0,NULL,1);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT);
INSERT INTO "meta" VALUES('created','2026-11-29T23:01:30Z');
INSERT INTO "meta" VALUES('campaign','model: lenet5
data:
  images: fashion_mnist/test
  calibrate: fashion_mnist/train
  use: all
accelerator:
  name: gemmini_16x16
  about: "16 x 16 int8 systolic mesh, weight-stationary, double-buffered weights"
  clock: 1000
  node: 28nm
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
  process: uniform
  fault: stuck_at_1
  lasts: auto
  where: {}
  count: 1
trials: 8
seed: 1
device: auto
judge: top_k
outcomes: all
engine: systemc
');
INSERT INTO "meta" VALUES('seed','1');
INSERT INTO "meta" VALUES('schema','6');
INSERT INTO "meta" VALUES('tilestrike','0.1.0');
INSERT INTO "meta" VALUES('compiler','C++ 12.2.0');
INSERT INTO "meta" VALUES('systemc','2.3.4');
INSERT INTO "meta" VALUES('libtorch','2.13.0');
CREATE TABLE outcomes ("scenario" INTEGER, "trial" INTEGER, "image" INTEGER, "outcome" TEXT, "sdc_1" INTEGER, "sdc_5" INTEGER, "sdc_10" INTEGER, "sdc_20" INTEGER, "layer" TEXT, "changed_accumulators" INTEGER, "changed_outputs" INTEGER, "golden_class" INTEGER, "faulty_class" INTEGER, "logits" BLOB, PRIMARY KEY (scenario, trial, image));
INSERT INTO "outcomes" VALUES(0,0,8,'sdc',0,0,0,0,'fc',3,2,1,1,X'0000803F000040400000B242');
INSERT INTO "outcomes" VALUES(0,1,8,'sdc',0,0,0,0,'conv1',3,2,1,1,X'0000803F0000404000006042');
INSERT INTO "outcomes" VALUES(0,2,0,'sdc',1,0,0,0,'conv1',3,2,1,2,X'0000803F0000404000000000');
INSERT INTO "outcomes" VALUES(0,2,4,'sdc',0,0,0,0,'fc',3,2,1,1,X'0000803F000040400000B841');
INSERT INTO "outcomes" VALUES(0,3,5,'sdc',0,0,0,0,'conv1',3,2,1,1,X'0000803F0000404000006041');
INSERT INTO "outcomes" VALUES(0,3,7,'sdc',0,0,0,0,'fc',3,2,1,1,X'0000803F000040400000C642');
INSERT INTO "outcomes" VALUES(0,3,9,'sdc',0,0,0,0,'fc',3,2,1,1,X'0000803F0000404000009242');
INSERT INTO "outcomes" VALUES(0,4,1,'sdc',0,0,0,0,'fc',3,2,1,1,X'0000803F0000404000005442');
INSERT INTO "outcomes" VALUES(0,4,3,'sdc',1,0,0,0,'conv1',3,2,1,2,X'0000803F0000404000008842');
INSERT INTO "outcomes" VALUES(0,5,4,'sdc',0,0,0,0,'conv1',3,2,1,1,X'0000803F0000404000004041');
INSERT INTO "outcomes" VALUES(0,5,8,'sdc',1,0,0,0,'conv1',3,2,1,2,X'0000803F0000404000008042');
INSERT INTO "outcomes" VALUES(0,6,0,'sdc',0,0,0,0,'conv1',3,2,1,1,X'0000803F0000404000008040');
INSERT INTO "outcomes" VALUES(0,6,3,'sdc',0,0,0,0,'conv1',3,2,1,1,X'0000803F000040400000B842');
INSERT INTO "outcomes" VALUES(0,6,6,'sdc',0,0,0,0,'fc',3,2,1,1,X'0000803F0000404000005041');
INSERT INTO "outcomes" VALUES(0,6,7,'sdc',0,0,0,0,'fc',3,2,1,1,X'0000803F0000404000004442');
INSERT INTO "outcomes" VALUES(0,6,8,'sdc',0,0,0,0,'conv1',3,2,1,1,X'0000803F000040400000B842');
INSERT INTO "outcomes" VALUES(0,7,2,'sdc',1,0,0,0,'conv1',3,2,1,2,X'0000803F0000404000007042');
INSERT INTO "outcomes" VALUES(0,7,3,'sdc',0,0,0,0,'fc',3,2,1,1,X'0000803F0000404000009642');
INSERT INTO "outcomes" VALUES(0,7,4,'sdc',0,0,0,0,'conv1',3,2,1,1,X'0000803F0000404000007042');
INSERT INTO "outcomes" VALUES(0,7,5,'sdc',1,0,0,0,'conv1',3,2,1,2,X'0000803F0000404000004041');
INSERT INTO "outcomes" VALUES(0,7,6,'sdc',1,0,0,0,'conv1',3,2,1,2,X'0000803F0000404000006042');
CREATE TABLE scenarios (scenario INTEGER PRIMARY KEY, label TEXT, expanded TEXT, model_hash TEXT, images_hash TEXT, calibrate_hash TEXT, faults_hash TEXT, sites INTEGER, cycles INTEGER, images INTEGER, population TEXT, accuracy REAL, warnings TEXT);
INSERT INTO "scenarios" VALUES(0,'','model: lenet5
data:
  images: fashion_mnist/test
  calibrate: fashion_mnist/train
  use: all
accelerator:
  name: gemmini_16x16
  about: "16 x 16 int8 systolic mesh, weight-stationary, double-buffered weights"
  clock: 1000
  node: 28nm
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
  process: uniform
  fault: stuck_at_1
  lasts: auto
  where: {}
  count: 1
trials: 8
seed: 1
device: auto
judge: top_k
outcomes: all
engine: systemc
','model-1','i','c','',27248,300,10,'27248 sites, each judged on 10 images',0.9,'the network is made up');
CREATE TABLE trials ("scenario" INTEGER, "trial" INTEGER, "weight" REAL, "stratum" TEXT, "radiation" TEXT, "image" INTEGER, "structure" TEXT, "register" TEXT, "word" INTEGER, "bank" INTEGER, "row" INTEGER, "column" INTEGER, "position" INTEGER, "bit" INTEGER, "fault" TEXT, "cycle" INTEGER, "until" INTEGER, "faults" INTEGER, "bits" INTEGER, "codewords" INTEGER, "events" INTEGER, "stored" INTEGER, "activated" INTEGER, "masked_at" TEXT, "outcome" TEXT, "sdc_1" INTEGER, "sdc_5" INTEGER, "sdc_10" INTEGER, "sdc_20" INTEGER, "hung" INTEGER, "corrected" INTEGER, "detected" INTEGER, "without_stop" TEXT, "outlives" INTEGER, "later_images" INTEGER, "later_wrong" INTEGER, "later_due" INTEGER, "layer" TEXT, "pass" INTEGER, "step" INTEGER, "before" INTEGER, "after" INTEGER, "changed_accumulators" INTEGER, "changed_outputs" INTEGER, "changed_words" INTEGER, "relative_l2" REAL, "passes_simulated" INTEGER, "engine" TEXT, "audit" TEXT, "golden_class" INTEGER, "faulty_class" INTEGER, "images" INTEGER, "images_activated" INTEGER, "images_sdc" INTEGER, "images_sdc_1" INTEGER, "images_sdc_5" INTEGER, "images_sdc_10" INTEGER, "images_sdc_20" INTEGER, "images_nonfinite" INTEGER, "images_due" INTEGER, "images_correct" INTEGER, "images_golden_correct" INTEGER, "logits" BLOB, PRIMARY KEY (scenario, trial));
INSERT INTO "trials" VALUES(0,0,1.0,'',NULL,NULL,'mesh','partial_sum',NULL,NULL,0,9,0,13,'stuck_at_1',0,NULL,1,NULL,NULL,NULL,NULL,1,'','sdc',0,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'fc',0,8,161,160,3,2,0,0.0,10,'systemc',NULL,1,1,10,8,1,0,0,0,0,0,0,3,3,X'0000803F000040400000B242');
INSERT INTO "trials" VALUES(0,1,1.0,'',NULL,NULL,'mesh','weight_0',NULL,NULL,14,1,0,5,'stuck_at_1',0,NULL,1,NULL,NULL,NULL,NULL,1,'','sdc',0,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'conv1',0,1,20,21,3,2,0,0.0,10,'systemc',NULL,1,1,10,8,1,0,0,0,0,0,0,3,3,X'0000803F0000404000006042');
INSERT INTO "trials" VALUES(0,2,1.0,'',NULL,NULL,'mesh','weight_0',NULL,NULL,7,12,0,3,'stuck_at_1',0,NULL,1,NULL,NULL,NULL,NULL,1,'','sdc',1,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'conv1',4,7,32,33,3,2,0,0.0,10,'systemc',NULL,1,2,10,6,2,1,0,0,0,0,0,3,3,X'0000803F0000404000000000');
INSERT INTO "trials" VALUES(0,3,1.0,'',NULL,NULL,'mesh','partial_sum',NULL,NULL,2,5,0,0,'stuck_at_1',0,NULL,1,NULL,NULL,NULL,NULL,1,'','sdc',0,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'conv1',5,0,162,163,3,2,0,0.0,10,'systemc',NULL,1,1,10,9,3,0,0,0,0,0,0,3,3,X'0000803F0000404000006041');
INSERT INTO "trials" VALUES(0,4,1.0,'',NULL,NULL,'mesh','partial_sum',NULL,NULL,5,15,0,16,'stuck_at_1',0,NULL,1,NULL,NULL,NULL,NULL,1,'','sdc',1,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'fc',3,4,193,192,3,2,0,0.0,10,'systemc',NULL,1,1,10,6,2,1,0,0,0,0,0,3,3,X'0000803F0000404000005442');
INSERT INTO "trials" VALUES(0,5,1.0,'',NULL,NULL,'mesh','partial_sum',NULL,NULL,0,2,0,28,'stuck_at_1',0,NULL,1,NULL,NULL,NULL,NULL,1,'','sdc',1,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'conv1',2,8,52,53,3,2,0,0.0,10,'systemc',NULL,1,1,10,8,2,1,0,0,0,0,0,4,3,X'0000803F0000404000004041');
INSERT INTO "trials" VALUES(0,6,1.0,'',NULL,NULL,'mesh','deskew',NULL,NULL,NULL,7,3,19,'stuck_at_1',0,NULL,1,NULL,NULL,NULL,NULL,1,'','sdc',0,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'conv1',3,8,132,133,3,2,0,0.0,10,'systemc',NULL,1,1,10,7,5,0,0,0,0,0,0,3,3,X'0000803F0000404000008040');
INSERT INTO "trials" VALUES(0,7,1.0,'',NULL,NULL,'mesh','deskew',NULL,NULL,NULL,2,10,30,'stuck_at_1',0,NULL,1,NULL,NULL,NULL,NULL,1,'','sdc',1,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'conv1',0,3,224,225,3,2,0,0.0,10,'systemc',NULL,1,2,10,9,5,3,0,0,0,0,0,5,3,X'0000803F0000404000007042');
COMMIT;

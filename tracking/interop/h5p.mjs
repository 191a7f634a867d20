// A small H5P content type and a piece of content for it. What it does is ours; the statements that come of it are made by
// H5P's own code (`H5P.XAPIEvent`): actor, context, scores, durations, parents.

const question = `
H5P.LecternQuestion = (function ($, EventDispatcher) {
  function Question(parameters, id, extras) {
    EventDispatcher.call(this);
    const self = this;
    this.contentId = id;
    this.parent = undefined;
    this.getTitle = () => H5P.createTitle(extras?.metadata?.title ?? 'Question');
    this.attach = ($container) => { $container.text(parameters.text); };
    // H5P.EventDispatcher asks for these of whatever tells a result.
    this.getScore = () => 1;
    this.getMaxScore = () => 2;
    this.answer = () => {
      self.triggerXAPI('interacted');
      const event = self.createXAPIEventTemplate('answered');
      const definition = event.getVerifiedStatementValue(['object', 'definition']);
      definition.description = { 'en-US': parameters.text };
      definition.type = 'http://adlnet.gov/expapi/activities/cmi.interaction';
      definition.interactionType = 'choice';
      definition.correctResponsesPattern = ['0[,]2'];
      definition.choices = parameters.choices.map((text, n) => ({ id: String(n), description: { 'en-US': text } }));
      event.setScoredResult(1, 2, self, true, false);
      event.data.statement.result.response = '0[,]1';
      self.trigger(event);
    };
    this.play = async () => {
      this.setActivityStarted();
      this.answer();
      this.triggerXAPIScored(1, 2, 'completed', true, false);
      this.triggerXAPICompleted(2, 2, true);
    };
  }
  Question.prototype = Object.create(EventDispatcher.prototype);
  Question.prototype.constructor = Question;
  return Question;
})(H5P.jQuery, H5P.EventDispatcher);`;

/** By path. */
export const content = {
  '/content/h5p.json': {
    title: 'Colours & shapes “2”',
    language: 'en',
    mainLibrary: 'H5P.LecternQuestion',
    embedTypes: ['div'],
    license: 'U',
    preloadedDependencies: [{ machineName: 'H5P.LecternQuestion', majorVersion: 1, minorVersion: 0 }],
  },
  '/content/content/content.json': { text: 'Which are colours?', choices: ['Red', 'Round', 'Blue'] },
  '/content/H5P.LecternQuestion-1.0/library.json': {
    title: 'Question',
    machineName: 'H5P.LecternQuestion',
    majorVersion: 1,
    minorVersion: 0,
    patchVersion: 0,
    runnable: 1,
    preloadedJs: [{ path: 'question.js' }],
    preloadedCss: [],
  },
  '/content/H5P.LecternQuestion-1.0/question.js': question,
};

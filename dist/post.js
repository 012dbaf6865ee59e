"use strict";
import "./index.js";
